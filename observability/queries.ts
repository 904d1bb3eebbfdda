import { type Grouping, rate } from "../src/assets/expressions.ts";
import { select, serviceLabel } from "../src/assets/selection.ts";
import type { Query } from "./panels.ts";
import { chosenScope } from "./variables.ts";

/** Legend of series that differ by service. */
export const serviceLegend = `{{${serviceLabel}}}`;

/** Aggregation over the width of one point of the graph, by these labels. */
export function grouped(by: string = serviceLabel): Grouping {
  return { scope: chosenScope, window: "$__rate_interval", by };
}

/** The rate of a counter by service and one more label. */
export function rateBy(metric: string, label: string): Query {
  return { expr: rate(grouped(`${serviceLabel}, ${label}`), metric), legend: `${serviceLegend} {{${label}}}` };
}

/** A gauge, aggregated over processes. */
export function gauge(
  how: "sum" | "max" | "min" | "avg",
  metric: string,
  by: string = serviceLabel,
  where: readonly string[] = [],
): string {
  const selected = select(chosenScope, metric, where);
  return by === "" ? `${how} (${selected})` : `${how} by (${by}) (${selected})`;
}

/** 1 − a share. */
export function rest(share: string): string {
  return `1 - ${share}`;
}
