import { type Difference, PolicyDiff, type Ruling } from "../../authorization/diff/policy-diff.ts";
import type { Policy } from "../../authorization/policy.ts";
import { parsePolicy } from "../../authorization/text/read-policy.ts";
import { describeError } from "../../core/errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { readNamedFile } from "../named-file.ts";
import { readWhole } from "../option-values.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Labels of one kind that a line shows. */
const maxLabels = 5;

/** `inmesh policy diff OLD NEW`. Resolves with the exit code: 0 for the same decisions, 1 for others, 2 where neither can be said. */
export async function diffPolicies(old: string, now: string, limit: string | undefined, terminal: Terminal): Promise<number> {
  const most = limit === undefined ? 50 : readWhole("limit", limit, 1, 10_000);
  const policies: Policy[] = [];
  for (const file of [old, now]) {
    try {
      policies.push(parsePolicy((await readNamedFile(file)).toString("utf8"), file));
    } catch (error) {
      terminal.note(describeError(error));
      return exitCodes.usage;
    }
  }
  const diff = new PolicyDiff(policies[0] as Policy, policies[1] as Policy);
  const shown = diff.differences(most);
  if (terminal.format === "json")
    await terminal.json({ complete: diff.cuts.size === 0, cuts: [...diff.cuts], count: diff.count, differences: shown });
  else for (const each of shown) await terminal.lines(linesOf(each, terminal.format === "wide"));
  for (const cut of diff.cuts) terminal.note(`not complete: ${cut}`, "yellow");
  if (diff.count > shown.length) terminal.note(`${shown.length} of ${diff.count} classes are shown; --limit shows more`);
  if (diff.count > 0) {
    terminal.note(
      diff.count === 1 ? "1 class of requests is decided differently" : `${diff.count} classes of requests are decided differently`,
    );
    return exitCodes.failed;
  }
  if (diff.cuts.size > 0) {
    terminal.note("no difference was found in what was looked at");
    return exitCodes.usage;
  }
  terminal.note("both decide every request in the same way");
  return exitCodes.ok;
}

function linesOf({ example, old, new: now, where, isCertain }: Difference, isWide: boolean): readonly string[] {
  const kinds = Object.entries(where);
  const parts = [`${example.method} ${example.path}`];
  for (const [kind] of kinds) {
    if (kind === "caller") parts.push(example.identity === undefined ? "without an identity" : `from ${example.identity}`);
    if (kind === "address") parts.push(example.address === undefined ? "from a Unix socket" : `at ${example.address}`);
    if (kind === "token" && example.tokens.length > 0)
      parts.push(`with ${example.tokens.map(({ claims }) => JSON.stringify(claims)).join(" and ")}`);
    if (kind === "token" && example.tokens.length === 0) parts.push("without a token");
    if (kind === "time") parts.push(`at ${new Date(example.atMs).toISOString()}`);
    if (!kind.startsWith("header ")) continue;
    const name = kind.slice("header ".length);
    const values = example.headers[name] ?? [];
    parts.push(values.length === 0 ? `without ${name}` : values.map((value) => `${name}: ${value}`).join(", "));
  }
  const labelsOf = (labels: readonly string[]): string =>
    isWide || labels.length <= maxLabels
      ? labels.join(", ")
      : `${labels.slice(0, maxLabels).join(", ")} and ${labels.length - maxLabels} more`;
  return [
    `${isCertain ? "" : "perhaps: "}${parts.join(", ")}`,
    `  ${rulingIn(old)} → ${rulingIn(now)}`,
    ...kinds.map(([kind, labels]) => `  ${kind}: ${labelsOf(labels)}`),
    "",
  ].map(plain);
}

function rulingIn({ decision, rule }: Ruling): string {
  const word = decision === "dry-run-denied" ? "let pass in a dry run, denied otherwise" : decision;
  return rule === undefined ? word : `${word} by ${rule}`;
}
