import { type Grouping, rate } from "../src/assets/expressions.ts";
import { select, serviceLabel } from "../src/assets/selection.ts";
import type { Query } from "./panels.ts";
import { chosenScope } from "./variables.ts";

/** The legend of series that are told apart by their service. */
export const serviceLegend = `{{${serviceLabel}}}`;

/** Over the width of a point, summed into series by these labels. */
export function grouped(by: string = serviceLabel): Grouping {
  return { scope: chosenScope, window: "$__rate_interval", by };
}

/** The rate of a counter by service and one more label. */
export function rateBy(metric: string, label: string): Query {
  return { expr: rate(grouped(`${serviceLabel}, ${label}`), metric), legend: `${serviceLegend} {{${label}}}` };
}

/** A gauge, put together over processes by `how`. */
export function gauge(
  how: "sum" | "max" | "min" | "avg",
  metric: string,
  by: string = serviceLabel,
  where: readonly string[] = [],
): string {
  const selected = select(chosenScope, metric, where);
  return by === "" ? `${how} (${selected})` : `${how} by (${by}) (${selected})`;
}

/** One minus a share. */
export function rest(share: string): string {
  return `1 - ${share}`;
}
