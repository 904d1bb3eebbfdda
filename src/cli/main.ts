import type { CommandEntry } from "./commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { run } from "./run.ts";

/** Runs the command line of this process, of the `known` commands, and sets its exit code. */
export async function main(argv: readonly string[], known?: ReadonlyMap<string, CommandEntry>): Promise<void> {
  const { stdin, stdout, stderr, env } = process;
  const ending = new AbortController();
  // Once: who asks twice does not want to wait, and ends the process by Node's own handler.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort(signal));
  for (const output of [stdout, stderr]) {
    output.on("error", (error: NodeJS.ErrnoException) => {
      // `| head` has read enough: there is nobody to tell.
      if (error.code === "EPIPE") ending.abort("EPIPE");
      else process.exitCode = exitCodes.failed;
    });
  }
  process.exitCode = await run(argv, { stdin, stdout, stderr, env, signal: ending.signal }, known);
}
