import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { GroupFiles } from "../../../src/server/workers/group-files.ts";
import { WorkerGroup } from "../../../src/server/workers/worker-group.ts";
import { until } from "../../support/until.ts";

let directory: string;
let news: string[];
let groups: WorkerGroup[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "worker-group-"));
  news = [];
  groups = [];
});
afterEach(async () => {
  for (const group of groups) await group.end();
  await rm(directory, { recursive: true, force: true });
});

/** Marks of processes that are alive. */
const marks = { a: `${process.pid}-0`, b: `${process.ppid}-0` };

/** A worker whose steps are noted; one that gives up the place waits for `giving`. */
function worker(name: keyof typeof marks, giving: Promise<void> = Promise.resolve()): WorkerGroup {
  const group = new WorkerGroup({
    files: new GroupFiles(directory, marks[name]),
    onTake: async (kept) => void news.push(`${name} takes${kept === undefined ? "" : ` ${kept}`}`),
    async onGive() {
      news.push(`${name} gives`);
      await giving;
      news.push(`${name} has given`);
    },
    onLook() {},
    onTrouble: (error) => news.push(`${name}: ${(error as Error).message}`),
    clock: systemClock,
  });
  groups.push(group);
  return group;
}

describe("a group of workers", () => {
  it("has one that holds the place, and the next holds it when that one has given it", async () => {
    const given = Promise.withResolvers<void>();
    const [a, b] = [worker("a", given.promise), worker("b")];
    await a.join();
    await b.join();
    expect(news).toEqual(["a takes"]);
    const left = a.leave();
    await until("it gives", () => news.includes("a gives"));
    await new Promise((resolve) => setTimeout(resolve, 450));
    expect(news).toEqual(["a takes", "a gives"]);
    given.resolve();
    expect(await left).toBe("one-of-several");
    await until("the other one takes it", () => news.includes("b takes"));
    expect(news).toEqual(["a takes", "a gives", "a has given", "b takes"]);
    await a.end();
    expect(await b.leave()).toBe("last");
    expect(b.holds).toBe(true);
  });

  it("has exactly one last worker, however those that leave together meet", async () => {
    for (let round = 0; round < 20; round++) {
      const [a, b] = [worker("a"), worker("b")];
      await Promise.all([a.join(), b.join()]);
      const departures = await Promise.all([a.leave(), b.leave()]);
      expect([...departures].sort(), `round ${round}: ${news.join(", ")}`).toEqual(["last", "one-of-several"]);
      expect([a.holds, b.holds].sort()).toEqual([false, true]);
      await Promise.all([a.end(), b.end()]);
      news.length = 0;
    }
  });

  it("lets the last one that leaves take the place, where the holder has left before", async () => {
    const [a, b] = [worker("a"), worker("b")];
    await a.join();
    await b.join();
    expect(await a.leave()).toBe("one-of-several");
    expect(await b.leave()).toBe("last");
    expect(news).toEqual(["a takes", "a gives", "a has given", "b takes"]);
  });

  it("hands the place to one that begins to serve while the last one leaves", async () => {
    const a = worker("a");
    await a.join();
    expect(await a.leave()).toBe("last");
    const b = worker("b");
    await b.join();
    await until("the new one takes it", () => news.includes("b takes"));
    expect(news).toEqual(["a takes", "a gives", "a has given", "b takes"]);
    expect(a.holds).toBe(false);
  });

  it("hands on what the holder has kept, as long as one of them lives", async () => {
    const [a, b] = [worker("a"), worker("b")];
    await a.join();
    await b.join();
    await a.keep("this");
    await b.keep("what is not its own to keep");
    expect(await a.leave()).toBe("one-of-several");
    await until("the other one takes it", () => news.includes("b takes this"));
    // Something removes the files: the holder knows it still.
    await rm(directory, { recursive: true });
    await until("it holds it again", () => news.filter((line) => line === "b takes this").length === 2);
    await a.end();
    const again = worker("a");
    await again.join();
    await b.leave();
    await until("it is handed on again", () => news.includes("a takes this"));
    await again.leave();
    await again.end();
    await b.end();
    await worker("a").join();
    expect(news.at(-1)).toBe("a takes");
  });

  it("keeps nothing of a group of which all have died", async () => {
    const died = new GroupFiles(directory, "4194305-7");
    await died.take(await died.look());
    await died.keep(await died.look(), "this");
    const a = worker("a");
    await a.join();
    expect(news).toEqual(["a takes"]);
    const b = worker("b");
    await b.join();
    await a.leave();
    await until("the other one takes it", () => news.includes("b takes"));
  });

  it("leaves nothing behind, and begins anew", async () => {
    const [a, b] = [worker("a"), worker("b")];
    await a.join();
    await b.join();
    await b.leave();
    await a.leave();
    await a.end();
    // One that drains on looks, and makes nothing again.
    await new Promise((resolve) => setTimeout(resolve, 450));
    await b.end();
    await expect(readdir(directory)).rejects.toMatchObject({ code: "ENOENT" });
    const again = worker("a");
    await again.join();
    expect(again.holds).toBe(true);
  });

  it("gives the place up, and takes it anew, where its file has been removed", async () => {
    const a = worker("a");
    await a.join();
    await rm(directory, { recursive: true });
    await until("it holds it again", () => news.length === 4);
    expect(news).toEqual(["a takes", "a gives", "a has given", "a takes"]);
    expect(await readdir(directory)).toEqual([`serving-${marks.a}`, "turn-1"]);
  });

  it("says once what it cannot do, and goes on when that is over", async () => {
    const a = worker("a");
    await a.join();
    await rm(directory, { recursive: true });
    await writeFile(directory, "a file");
    await until("it says so", () => news.length > 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(news).toEqual(["a takes", expect.stringMatching(/^a: ENOTDIR/)]);
    await rm(directory);
    await until("it holds it again", () => news.at(-1) === "a takes" && news.length > 2);
    expect(await a.leave()).toBe("last");
  });
});
