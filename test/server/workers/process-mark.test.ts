import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isAlive, ownMark } from "../../../src/server/workers/process-mark.ts";

describe("the mark of a process", () => {
  it("is that of a living one, as long as it runs", async () => {
    expect(await isAlive(await ownMark())).toBe(true);
    expect(await isAlive(`${process.ppid}-0`)).toBe(true);
    const child = spawn(process.execPath, ["-e", ""]);
    const mark = `${child.pid}-0`;
    await once(child, "exit");
    expect(await isAlive(mark)).toBe(false);
  });

  it.runIf(process.platform === "linux")("is not that of another process which has got its number", async () => {
    const [pid, startedAt] = (await ownMark()).split("-");
    expect(Number(startedAt)).toBeGreaterThan(0);
    expect(await isAlive(`${pid}-${Number(startedAt) - 1}`)).toBe(false);
  });

  it.each(["", "0-0", "-1-0", "x-0", "4194305-0", "4194305-5"])("%j is no living process", async (mark) => {
    expect(await isAlive(mark)).toBe(false);
  });
});
