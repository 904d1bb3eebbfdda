import { type Spelling, spelled } from "../../../src/assets/spelling.ts";
import { metricTable } from "../../../src/telemetry/metrics/metric-table.ts";
import { labelName } from "../../../src/telemetry/prometheus/spelling.ts";
import type { Expression } from "./promql.ts";

/** A series of a scrape. */
export interface SeriesKind {
  readonly kind: "counter" | "gauge" | "bucket" | "count" | "sum";
  /** Names of its labels. */
  readonly labels: ReadonlySet<string>;
}

const everywhere = ["job", "instance"];
const rateFunctions = new Set(["rate", "irate", "increase"]);

/** Every series of the table of metrics, by its name in Prometheus. */
export function catalogue(spelling: Spelling): ReadonlyMap<string, SeriesKind> {
  return new Map(
    Object.values(metricTable).flatMap(({ name, kind, attributes }): [string, SeriesKind][] => {
      const full = spelled(name, spelling);
      const labels = new Set([...attributes.map(labelName), ...everywhere]);
      if (kind === "counter") return [[full, { kind: "counter", labels }]];
      if (kind !== "histogram") return [[full, { kind: "gauge", labels }]];
      return [
        [`${full}_bucket`, { kind: "bucket", labels: new Set([...labels, "le"]) }],
        [`${full}_count`, { kind: "count", labels }],
        [`${full}_sum`, { kind: "sum", labels }],
      ];
    }),
  );
}

/** The faults in the use of metrics by an expression, one sentence each. Names with a colon are recorded series, listed in `recorded`. */
export function misusesOf(
  { selectors, grouping }: Pick<Expression, "selectors" | "grouping">,
  series: ReadonlyMap<string, SeriesKind>,
  recorded: ReadonlySet<string> = new Set(),
): readonly string[] {
  const found: string[] = [];
  const groupable = new Set<string>();
  for (const { metric, matchers, range, around } of selectors) {
    if (metric.includes(":")) {
      if (!recorded.has(metric)) found.push(`${metric} is recorded by no rule`);
      continue;
    }
    const known = series.get(metric);
    if (known === undefined) {
      found.push(`${metric} is no metric`);
      continue;
    }
    for (const label of known.labels) groupable.add(label);
    for (const { label } of matchers) if (!known.labels.has(label)) found.push(`${metric} has no label ${label}`);
    const isRated = around.some((each) => rateFunctions.has(each));
    if (known.kind === "gauge" && isRated) found.push(`${metric} is a gauge and has no rate`);
    if (known.kind !== "gauge" && !isRated) found.push(`${metric} only grows: it needs a rate`);
    if (isRated && range === undefined) found.push(`${metric} has a rate over no range`);
    const isQuantile = around.includes("histogram_quantile");
    if (isQuantile && known.kind !== "bucket") found.push(`${metric} has no buckets for histogram_quantile`);
    if (known.kind === "bucket" && !grouping.includes("le")) found.push(`${metric} is summed without le`);
  }
  if (selectors.some(({ metric }) => series.has(metric))) {
    for (const label of grouping) if (!groupable.has(label)) found.push(`nothing here has a label ${label} to group by`);
  }
  return found;
}
