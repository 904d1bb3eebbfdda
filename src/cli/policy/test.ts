import { readCaseFile, runCases } from "../../authorization/cases/policy-cases.ts";
import { PolicyError } from "../../authorization/text/policy-error.ts";
import { exitCodes } from "../exit-codes.ts";
import { readNamedFile } from "../named-file.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** `inmesh policy test FILE`. Resolves with the exit code. */
export async function testPolicy(file: string, terminal: Terminal): Promise<number> {
  const text = (await readNamedFile(file)).toString("utf8");
  let results: ReturnType<typeof runCases>;
  try {
    results = runCases(readCaseFile(text, file));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    terminal.note(error.message);
    return exitCodes.failed;
  }
  if (terminal.format === "json") await terminal.json(results);
  else {
    const columns = [
      { title: "CASE", cell: ({ name }: (typeof results)[number]) => name },
      { title: "EXPECTED", cell: ({ expected }: (typeof results)[number]) => expected },
      { title: "DECISION", cell: ({ found }: (typeof results)[number]) => found },
      { title: "RESULT", cell: ({ passed }: (typeof results)[number]) => (passed ? "passed" : "FAILED") },
    ];
    await terminal.lines(table(columns, results, terminal.format === "wide"));
  }
  const failed = results.filter(({ passed }) => !passed).length;
  terminal.note(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? exitCodes.ok : exitCodes.failed;
}
