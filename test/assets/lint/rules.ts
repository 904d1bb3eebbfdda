import { misusesOf, type SeriesKind } from "./catalogue.ts";
import { readExpression } from "./promql.ts";

/** A file of rules in Prometheus' format. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly interval?: string; readonly rules: readonly Rule[] }[];
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The faults of rule files, one sentence each.
 * @param anchors the anchors of the page of runbooks
 */
export function ruleFaults(
  files: readonly RuleFile[],
  series: ReadonlyMap<string, SeriesKind>,
  anchors: ReadonlySet<string>,
): readonly string[] {
  const rules = files.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const faults: string[] = [];
  const names = rules.map(({ record, alert }) => record ?? alert ?? "");
  for (const name of names) if (names.indexOf(name) !== names.lastIndexOf(name)) faults.push(`${name}: there are two`);
  for (const rule of rules) {
    const name = rule.record ?? rule.alert;
    const read = readExpression(rule.expr);
    if (read.errors.length > 0) faults.push(`${name}: no PromQL at ${read.errors.join(", ")}`);
    else for (const misuse of misusesOf(read, series, recorded)) faults.push(`${name}: ${misuse}`);
    if (rule.alert !== undefined) for (const fault of alertFaults(rule, anchors)) faults.push(`${name}: ${fault}`);
  }
  return faults;
}

function* alertFaults({ labels = {}, annotations = {}, expr, for: duration }: Rule, anchors: ReadonlySet<string>): Generator<string> {
  if (!["page", "ticket"].includes(labels["severity"] ?? "")) yield "it has no severity";
  for (const each of ["summary", "description", "runbook_url"]) if (!annotations[each]) yield `it has no ${each}`;
  if (!duration) yield "it has no for";
  const anchor = annotations["runbook_url"]?.split("#")[1] ?? "";
  if (!anchors.has(anchor)) yield `there is no runbook ${anchor}`;
  const { grouping, selectors } = readExpression(expr);
  const text = `${annotations["summary"]} ${annotations["description"]}`;
  for (const [, label = ""] of text.matchAll(/\$labels\.(\w+)/g)) {
    // A recorded series has the labels by which the rules aggregate.
    const isThere =
      grouping.includes(label) || selectors.some(({ metric }) => metric.includes(":")) || label === "job" || label === "instance";
    if (!isThere) yield `its text names the label ${label}, which it has not`;
  }
}
