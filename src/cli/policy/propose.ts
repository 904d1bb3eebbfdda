import { proposePolicy } from "../../authorization/recording/propose-policy.ts";
import { readRecord } from "../../authorization/recording/read-record.ts";
import { parsePolicy } from "../../authorization/text/read-policy.ts";
import { describeError } from "../../core/errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { readNamedFile } from "../named-file.ts";
import type { Terminal } from "../terminal/terminal.ts";

const maxBytes = 256 * 1_048_576;

/** `inmesh policy propose FILE`. Resolves with the exit code. */
export async function proposeFrom(file: string, terminal: Terminal): Promise<number> {
  let policy: string;
  try {
    policy = proposePolicy(readRecord((await readNamedFile(file, maxBytes)).toString("utf8")));
    // A record that was written by hand may have a name that no rule can have.
    parsePolicy(policy, "the proposed policy");
  } catch (error) {
    terminal.note(`${file}: ${describeError(error)}`);
    return exitCodes.failed;
  }
  if (terminal.format === "json") await terminal.json(parsePolicy(policy));
  else await terminal.raw(policy);
  return exitCodes.ok;
}
