import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Terminal } from "../../../src/cli/terminal/terminal.ts";

function terminalWith({
  isTTY = false,
  env = {},
  ...options
}: {
  isTTY?: boolean;
  env?: Record<string, string>;
  color?: "always" | "never";
  format?: "json";
} = {}) {
  let text = "";
  const stream = () =>
    Object.assign(
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          text += String(chunk);
          done();
        },
      }),
      { isTTY },
    );
  const ending = new AbortController();
  const terminal = new Terminal({ stdout: stream(), stderr: stream(), env, signal: ending.signal }, options);
  return { terminal, ending, written: () => text };
}

describe("a terminal", () => {
  it.each([
    [{ isTTY: true }, true],
    [{ isTTY: false }, false],
    [{ isTTY: true, env: { NO_COLOR: "1" } }, false],
    [{ isTTY: true, env: { NO_COLOR: "" } }, true],
    [{ isTTY: true, env: { TERM: "dumb" } }, false],
    [{ isTTY: false, env: { FORCE_COLOR: "1" } }, true],
    [{ isTTY: true, env: { FORCE_COLOR: "0" } }, false],
    [{ isTTY: false, env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, true],
    [{ isTTY: false, color: "always" as const, env: { NO_COLOR: "1" } }, true],
    [{ isTTY: true, color: "never" as const, env: { FORCE_COLOR: "1" } }, false],
  ])("colours with %j: %s", (options, isColored) => {
    expect(terminalWith(options).terminal.style("red", "x") !== "x").toBe(isColored);
  });

  it("shows progress on a terminal, and nowhere else", () => {
    for (const [options, isShown] of [
      [{ isTTY: true }, true],
      [{}, false],
      [{ isTTY: true, format: "json" as const }, false],
    ] as const) {
      const { terminal, written } = terminalWith(options);
      terminal.progress("asking …");
      expect(written().includes("asking")).toBe(isShown);
    }
  });

  it("writes no secret, wherever it comes from", async () => {
    const { terminal, written } = terminalWith();
    terminal.hide("canary-token");
    terminal.hide(undefined);
    await terminal.line("a canary-token b");
    terminal.note("c canary-token d");
    await terminal.json({ e: "canary-token" });
    await terminal.table([{ title: "T", cell: () => "canary-token" }], [1]);
    expect(written()).not.toContain("canary");
    expect(written().match(/\[hidden\]/g)).toHaveLength(4);
  });

  it("knows a secret again in the form in which it would be written", async () => {
    const { terminal, written } = terminalWith();
    terminal.hide('canary"\u202e\t1');
    await terminal.line('a canary"\u202e\t1 b');
    await terminal.json({ e: 'canary"\u202e\t1' });
    expect(written()).not.toContain("canary");
  });

  it("writes JSON that means the same, and holds nothing a terminal would obey", async () => {
    const { terminal, written } = terminalWith();
    const value = { name: "a\u001b[2J\u009b\u202e\u{e0041}\u2028漢" };
    await terminal.json(value);
    expect(written()).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}]/u);
    expect(JSON.parse(written())).toEqual(value);
  });

  it("waits for a reader that is slow, until the command is ended", async () => {
    const slow = Object.assign(new Writable({ highWaterMark: 1, write() {} }), { isTTY: false });
    const ending = new AbortController();
    const terminal = new Terminal({ stdout: slow, stderr: slow, env: {}, signal: ending.signal }, {});
    let isWritten = false;
    const writing = terminal.line("much too long").then(() => {
      isWritten = true;
    });
    await new Promise(setImmediate);
    expect(isWritten).toBe(false);
    ending.abort("SIGINT");
    await writing;
    expect(slow.listenerCount("drain")).toBe(0);
  });
});
