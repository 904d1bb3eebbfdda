import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GroupFiles } from "../../../src/server/workers/group-files.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "group-files-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Marks of processes that are alive, and of one that never was. */
const one = `${process.pid}-0`;
const other = `${process.ppid}-0`;
const dead = "4194305-7";
const filesOf = (mark: string): GroupFiles => new GroupFiles(directory, mark);

describe("the files of a group of workers", () => {
  it("show whether others serve, and forget those that have died", async () => {
    await filesOf(one).serve();
    await filesOf(dead).serve();
    expect(await filesOf(one).look()).toMatchObject({ isShown: true, othersServe: false });
    expect(await readdir(directory)).toEqual([`serving-${one}`]);
    await filesOf(other).serve();
    expect(await filesOf(one).look()).toMatchObject({ othersServe: true });
    await filesOf(other).leave();
    expect(await filesOf(one).look()).toMatchObject({ othersServe: false });
  });

  it("give the place to one, until it is left", async () => {
    const [first, second] = [filesOf(one), filesOf(other)];
    const none = await first.look();
    expect(none.holder).toBe("none");
    const taken = await Promise.all([first.take(none), second.take(none)]);
    expect([...taken].sort()).toEqual([false, true]);
    const [holder, waiting] = taken[0] ? [first, second] : [second, first];
    expect([(await holder.look()).holder, (await waiting.look()).holder]).toEqual(["own", "other"]);
    await holder.release(await holder.look());
    const free = await waiting.look();
    expect(free.holder).toBe("none");
    expect(await waiting.take(free)).toBe(true);
    expect((await holder.look()).holder).toBe("other");
    expect((await readdir(directory)).sort()).toEqual(["free-1", "turn-1", "turn-2"]);
  });

  it("give it to another where the holder has died", async () => {
    expect(await filesOf(dead).take(await filesOf(dead).look())).toBe(true);
    const view = await filesOf(one).look();
    expect(view.holder).toBe("none");
    expect(await filesOf(one).take(view)).toBe(true);
    expect((await filesOf(one).look()).holder).toBe("own");
  });

  it("let nobody take a turn that is over, however late it comes", async () => {
    const [late, quick] = [filesOf(one), filesOf(other)];
    const outdated = await late.look();
    for (let turn = 0; turn < 3; turn++) {
      expect(await quick.take(await quick.look())).toBe(true);
      await quick.release(await quick.look());
    }
    // Also where it is the turn just before, and that is free by now.
    expect(await late.take(outdated)).toBe(false);
    for (let turn = 0; turn < 20; turn++) {
      expect(await quick.take(await quick.look())).toBe(true);
      await quick.release(await quick.look());
    }
    expect(await quick.take(await quick.look())).toBe(true);
    expect((await readdir(directory)).length).toBeLessThan(20);
    // Its file is not there any more, so it can be made.
    expect(await late.take(outdated)).toBe(false);
    expect((await late.look()).holder).toBe("other");
    expect((await quick.look()).holder).toBe("own");
  });

  it("are made again where something has removed them", async () => {
    const files = filesOf(one);
    await files.serve();
    await files.take(await files.look());
    await rm(directory, { recursive: true });
    expect(await files.look()).toEqual({ isShown: false, othersServe: false, holder: "none", turn: 0, hasPredecessor: false });
    await files.serve();
    await files.release({ isShown: true, othersServe: false, holder: "own", turn: 1, hasPredecessor: true });
    expect(await readdir(directory)).toEqual([`serving-${one}`]);
    expect(await files.take(await files.look())).toBe(true);
  });

  it("keep a text for the next holder, whatever the former one wrote last", async () => {
    const [first, second] = [filesOf(one), filesOf(other)];
    expect(await first.kept()).toBeUndefined();
    await first.take(await first.look());
    const held = await first.look();
    await first.keep(held, "a");
    await first.keep(held, "b");
    expect(await second.kept()).toBe("b");
    await first.release(held);
    await second.take(await second.look());
    await second.keep(await second.look(), "c");
    await first.keep(held, "too late");
    expect(await second.kept()).toBe("c");
    expect((await readdir(directory)).sort()).toEqual(["free-1", "kept-1", "kept-2", "turn-1", "turn-2"]);
    for (let turn = 0; turn < 20; turn++) {
      await second.release(await second.look());
      await second.take(await second.look());
      await second.keep(await second.look(), `${turn}`);
    }
    expect((await readdir(directory)).length).toBeLessThan(30);
  });

  it("tell whether any that came before is alive", async () => {
    expect((await filesOf(one).look()).hasPredecessor).toBe(false);
    await filesOf(dead).take(await filesOf(dead).look());
    expect((await filesOf(one).look()).hasPredecessor).toBe(false);
    await filesOf(other).serve();
    expect((await filesOf(one).look()).hasPredecessor).toBe(true);
    await filesOf(other).leave();
    await filesOf(other).take(await filesOf(other).look());
    await filesOf(other).release(await filesOf(other).look());
    expect(await filesOf(one).look()).toMatchObject({ holder: "none", hasPredecessor: true });
  });

  it("let one of several processes at a time hold the place", { timeout: 60_000 }, async () => {
    const contenders = [0, 1, 2].map(() => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "contender.ts"), directory, "1500"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
      return once(child, "close").then(([code]) => ({ code, held: Number(output) }));
    });
    const results = await Promise.all(contenders);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(results.reduce((sum, { held }) => sum + held, 0)).toBeGreaterThan(10);
  });
});
