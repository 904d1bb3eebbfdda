import { describe, expect, it } from "vitest";
import { command } from "../../src/cli/command.ts";
import { type CommandEntry, commands } from "../../src/cli/commands.ts";
import { runCli } from "./run-cli.ts";

const version = (await import("../../package.json", { with: { type: "json" } })).default.version;

/** A command line of one command, which does what the test says. */
function known(run: (signal: AbortSignal) => Promise<number>): ReadonlyMap<string, CommandEntry> {
  const made = command({ description: "", positionals: ["NAME", "[MORE]"], options: {}, examples: [], run: ({ io }) => run(io.signal) });
  return new Map([["try", { summary: "tries", load: async () => ({ command: made }) }]]);
}

describe("the command line", () => {
  it("says its version and what it can do", async () => {
    for (const flag of ["--version", "-V"]) expect(await runCli([flag])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    for (const argv of [["--help"], ["-h"], ["help"]]) {
      const { code, stdout } = await runCli(argv);
      expect(code).toBe(0);
      for (const [name, { summary }] of commands) expect(stdout).toContain(`${name.padEnd(9)}  ${summary}`);
    }
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: inmesh COMMAND");
  });

  it.each([...commands.keys()])("tells about %s, its options and its exit codes, on stdout", async (name) => {
    const { command: wanted } = (await commands.get(name)?.load()) ?? {};
    for (const argv of [
      [name, "--help"],
      [name, "-h"],
      ["help", name],
    ]) {
      const { code, stdout, stderr } = await runCli(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(`Usage: inmesh ${[name, ...(wanted?.positionals ?? [])].join(" ")}`);
      for (const option of Object.keys(wanted?.options ?? {})) expect(stdout).toContain(`--${option}`);
      expect(stdout).toContain("Exit codes:");
    }
  });

  it.each([
    [["serivces"], "did you mean services?"],
    [["endpoint", "orders"], "did you mean endpoints?"],
    [["zzzzzzzz"], 'there is no command "zzzzzzzz"\n'],
    [["--colour", "demo"], "an option comes behind the command"],
    [["endpoints"], "endpoints needs SERVICE"],
    [["endpoints", "a", "b"], 'endpoints does not know what to do with "b"'],
    [["services", "--color", "purple"], "--color must be one of auto, always, never"],
    [["services", "-o", "yaml"], "-o must be one of table, wide, json"],
  ])("does not understand %j, says what it would, and ends with 2", async (argv, message) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain("--help");
  });

  it("keeps hostile text of the command line from the terminal", async () => {
    const { stderr } = await runCli(["\u001b]52;c;aGk=\u0007"]);
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it("ends with 1 and one line when something goes wrong", async () => {
    const broken = known(async () => {
      throw new Error("it is broken\u001b[2J");
    });
    expect(await runCli(["try", "x"], { known: broken })).toEqual({ code: 1, stdout: "", stderr: "inmesh: it is broken\\u{1b}[2J\n" });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["EPIPE", 0],
  ])("ends quietly on %s, with %i, whether the command throws or returns", async (reason, code) => {
    for (const isThrowing of [true, false]) {
      const ending = new AbortController();
      const stopped = known(async (signal) => {
        ending.abort(reason);
        if (isThrowing) signal.throwIfAborted();
        return 0;
      });
      expect(await runCli(["try", "x"], { known: stopped, signal: ending.signal })).toEqual({ code, stdout: "", stderr: "" });
    }
  });
});
