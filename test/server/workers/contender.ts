// One of several processes that take a place again and again, for the test of group files. Its arguments: the directory, and the milliseconds.
// It ends with the code 1 where it is not alone while it holds the place.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GroupFiles } from "../../../src/server/workers/group-files.ts";
import { ownMark } from "../../../src/server/workers/process-mark.ts";

const [directory = "", durationMs = "0"] = process.argv.slice(2);
const files = new GroupFiles(directory, await ownMark());
const inside = join(directory, "inside");
let held = 0;
const endAt = performance.now() + Number(durationMs);
while (performance.now() < endAt) {
  const view = await files.look();
  if (view.holder === "own") throw new Error("it has the place without having taken it");
  if (view.holder === "other" || !(await files.take(view))) continue;
  await writeFile(inside, String(process.pid), { flag: "wx" });
  held++;
  if ((await files.look()).holder !== "own") throw new Error("it has lost the place");
  await rm(inside);
  await files.release({ ...view, turn: view.turn + 1 });
}
console.log(held);
