import type { CommandEntry } from "./commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { run } from "./run.ts";

/** Runs the command line of this process with the `known` commands, and sets its exit code. */
export async function main(argv: readonly string[], known?: ReadonlyMap<string, CommandEntry>): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const ending = new AbortController();
  // Once: a second signal ends the process at once, by Node's own handler.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort(signal));
  for (const output of [stdout, stderr]) {
    output.on("error", (error: NodeJS.ErrnoException) => {
      // The reader has gone, as `| head` does when it has read enough.
      if (error.code === "EPIPE") ending.abort("EPIPE");
      else process.exitCode = exitCodes.failed;
    });
  }
  process.exitCode = await run(argv, { stdin, stdout, stderr, env, signal: ending.signal }, known);
}
