import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Spelling } from "../../../src/assets/spelling.ts";
import { readPage } from "../../docs/markdown.ts";
import type { Dashboard } from "./dashboard.ts";
import type { RuleFile } from "./rules.ts";

/** The root of the repository. */
export const root: string = join(import.meta.dirname, "../../..");

/** The dashboards that are committed. */
export function committedDashboard(spelling: Spelling, name: string): Dashboard {
  return JSON.parse(readFileSync(join(root, "observability", spelling, "dashboards", `${name}.json`), "utf8")) as Dashboard;
}

/** The recording rules and the alerting rules that are committed. */
export function committedRules(spelling: Spelling): readonly [recording: RuleFile, alerting: RuleFile] {
  const read = (name: string): RuleFile => parse(readFileSync(join(root, "observability", spelling, name), "utf8")) as RuleFile;
  return [read("recording-rules.yml"), read("alerting-rules.yml")];
}

/** The anchors of the headings of docs/observability/runbooks.md, and the text below each. */
export function runbooks(): ReadonlyMap<string, string> {
  const text = readFileSync(join(root, "docs/observability/runbooks.md"), "utf8");
  const lines = text.split("\n");
  const headings = readPage(text).headings.filter(({ level }) => level === 2);
  return new Map(
    headings.map(({ anchor, line }, index) => [anchor, lines.slice(line, (headings[index + 1]?.line ?? lines.length + 1) - 1).join("\n")]),
  );
}
