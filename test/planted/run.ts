// Puts each defect of the list into the sources, for its tests alone, and sees that they fail: `npm run planted`, `npm run planted -- --only token`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defects, type PlantedDefect } from "./defects.ts";

const root = join(import.meta.dirname, "../..");
const [flag, only = ""] = process.argv.slice(2);
if (flag !== undefined && flag !== "--only") throw new Error("the only option is --only TEXT");

/** Whether the tests fail by the defect, as tests do: not because nothing could be run. */
async function isCaught({ file, from, to, tests }: PlantedDefect): Promise<boolean> {
  const found = readFileSync(join(root, file), "utf8").split(from).length - 1;
  if (found !== 1) throw new Error(`${file} has ${found} times, not once: ${from}`);
  const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "test/planted/vitest.config.ts", "--bail", "1", ...tests];
  const env = { ...process.env, INMESH_PLANTED: JSON.stringify({ file: join(root, file), from, to }) };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = await once(child, "close");
  return code !== 0 && /Tests .*\d+ failed/.test(output);
}

let survivors = 0;
const chosen = defects.filter(({ name, file }) => name.includes(only) || file.includes(only));
for (const defect of chosen) {
  const caught = await isCaught(defect);
  if (!caught) survivors++;
  console.log(`${caught ? "caught  " : "SURVIVED"} ${defect.file}: ${defect.name}`);
}
console.log(`${chosen.length - survivors} caught, ${survivors} survived`);
if (survivors > 0 || chosen.length === 0) process.exitCode = 1;
