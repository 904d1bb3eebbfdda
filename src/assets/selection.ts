import { attribute } from "../telemetry/attribute-names.ts";
import { labelName } from "../telemetry/prometheus/spelling.ts";
import { definitionOf, type HistogramPart, type Spelling, spelled } from "./spelling.ts";

/** Which series of the mesh's metrics are meant. */
export interface Scope {
  readonly spelling: Spelling;
  /** Matchers for every metric, such as `job=~"$job"`. */
  readonly common: readonly string[];
  /** Matchers for those that name a service. */
  readonly service: readonly string[];
}

/** The label that names the service that is called. */
export const serviceLabel: string = labelName(attribute.service);

/** A text inside of PromQL's double quotes. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** A regular expression that matches this text and no other. */
export function regexFor(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** A matcher for one of these values; a single one is compared, not matched. */
export function oneOf(label: string, values: readonly string[]): string {
  const [first = "", ...others] = values;
  if (others.length === 0) return `${label}=${quoted(first)}`;
  return `${label}=~${quoted(values.map(regexFor).join("|"))}`;
}

/** A selector of the series of a metric, given by its OpenTelemetry name. A histogram is asked for one `part`. */
export function select(scope: Scope, metric: string, where: readonly string[] = [], part?: HistogramPart): string {
  const definition = definitionOf(metric);
  const isHistogram = definition.kind === "histogram";
  if (isHistogram !== (part !== undefined)) throw new Error(`${metric} is a ${definition.kind}: ${part ?? "no part"} cannot be selected`);
  const namesService = definition.attributes.includes(attribute.service);
  const matchers = [...where, ...scope.common, ...(namesService ? scope.service : [])];
  // The one metric that others write too: without a service it is not the mesh's.
  if (metric.startsWith("http.") && !matchers.some((each) => each.startsWith(serviceLabel))) matchers.push(`${serviceLabel}!=""`);
  return `${spelled(metric, scope.spelling)}${part === undefined ? "" : `_${part}`}${braces(matchers)}`;
}

/** A selector of series that a recording rule has made. */
export function recorded(scope: Scope, name: string): string {
  return `${name}${braces([...scope.common, ...scope.service])}`;
}

function braces(matchers: readonly string[]): string {
  return matchers.length === 0 ? "" : `{${matchers.join(",")}}`;
}
