import { PolicyError } from "../../authorization/text/policy-error.ts";
import { parsePolicy } from "../../authorization/text/read-policy.ts";
import { describeError } from "../../core/errors.ts";
import { readNamedFile } from "../named-file.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

const check = "policy";

/** Checks that a file of rules can be in force: the text of a policy for `authorization: { file }` of a server. */
export async function* policyFindings(file: string | undefined): AsyncGenerator<Finding, void, undefined> {
  if (file === undefined) return;
  try {
    const { rules, dryRun } = parsePolicy((await readNamedFile(file)).toString("utf8"), file);
    const count = `${rules.length} rule${rules.length === 1 ? "" : "s"}`;
    if (rules.length === 0) yield warn(check, `${file} has no rule: every request is denied`, "add a rule that allows");
    else if (dryRun) yield warn(check, `${count}, and a dry run: every request is let pass`, "remove dryRun to have the rules in force");
    else yield ok(check, `${count} in ${file}`);
  } catch (error) {
    const isOfText = error instanceof PolicyError;
    yield fail(
      check,
      isOfText ? error.message : `${file}: ${describeError(error)}`,
      isOfText ? "correct it; inmesh policy test decides on its cases" : "check the path and the permissions of the file",
    );
  }
}
