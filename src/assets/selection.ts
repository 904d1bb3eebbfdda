import { attribute } from "../telemetry/attribute-names.ts";
import { labelName } from "../telemetry/prometheus/spelling.ts";
import { definitionOf, type HistogramPart, type Spelling, spelled } from "./spelling.ts";

/** A selection of series of the mesh's metrics. */
export interface Scope {
  readonly spelling: Spelling;
  /** Matchers for every metric, such as `job=~"$job"`. */
  readonly common: readonly string[];
  /** Matchers for metrics that have a label for the service. */
  readonly service: readonly string[];
}

/** The label with the name of the called service. */
export const serviceLabel: string = labelName(attribute.service);

/** A string literal of PromQL. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** A regular expression in RE2 syntax that matches exactly this text. */
export function regexFor(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** A label matcher for any of these values: an equality for a single one, else a regular expression. */
export function oneOf(label: string, values: readonly string[]): string {
  const [first = "", ...others] = values;
  if (others.length === 0) return `${label}=${quoted(first)}`;
  return `${label}=~${quoted(values.map(regexFor).join("|"))}`;
}

/**
 * A selector of the series of a metric.
 * @param metric its OpenTelemetry name
 * @param where further matchers
 * @param part the part of a histogram
 * @throws Error when there is no such metric, when a histogram lacks a part, or when another metric has one
 */
export function select(scope: Scope, metric: string, where: readonly string[] = [], part?: HistogramPart): string {
  const definition = definitionOf(metric);
  const isHistogram = definition.kind === "histogram";
  if (isHistogram !== (part !== undefined)) throw new Error(`${metric} is a ${definition.kind}: ${part ?? "no part"} cannot be selected`);
  const namesService = definition.attributes.includes(attribute.service);
  const matchers = [...where, ...scope.common, ...(namesService ? scope.service : [])];
  // Other instrumentations write this metric too; only series with a service are the mesh's.
  if (metric.startsWith("http.client.") && !matchers.some((each) => each.startsWith(serviceLabel))) matchers.push(`${serviceLabel}!=""`);
  return `${spelled(metric, scope.spelling)}${part === undefined ? "" : `_${part}`}${braces(matchers)}`;
}

/** A selector of the series of a recording rule. */
export function recorded(scope: Scope, name: string): string {
  return `${name}${braces([...scope.common, ...scope.service])}`;
}

function braces(matchers: readonly string[]): string {
  return matchers.length === 0 ? "" : `{${matchers.join(",")}}`;
}
