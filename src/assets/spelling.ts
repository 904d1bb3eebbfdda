import type { MetricDefinition } from "../telemetry/metrics/metric-definition.ts";
import { metricTable } from "../telemetry/metrics/metric-table.ts";
import { labelName, prometheusName } from "../telemetry/prometheus/spelling.ts";

/**
 * Spelling of units in the names of metrics by exporters. `otlp`: with `_seconds`, as Prometheus' own OTLP receiver, the OpenTelemetry
 * Collector and `inmesh/prometheus` have it. `otel-js`: without, as `@opentelemetry/exporter-prometheus` has it.
 */
export type Spelling = "otlp" | "otel-js";

/** All values of {@link Spelling}. */
export const spellings: readonly Spelling[] = ["otlp", "otel-js"];

/** One of the series of a histogram. */
export type HistogramPart = "bucket" | "count" | "sum";

const byName: ReadonlyMap<string, MetricDefinition> = new Map(
  Object.values(metricTable).map((definition) => [definition.name, definition]),
);

/**
 * The definition of the metric with this OpenTelemetry name.
 * @throws Error when there is none: an asset must not name a metric that nothing writes.
 */
export function definitionOf(metric: string): MetricDefinition {
  const definition = byName.get(metric);
  if (definition === undefined) throw new Error(`there is no metric ${metric}`);
  return definition;
}

/** The name of a metric in Prometheus, such as `inmesh_client_call_duration_seconds` for a histogram or `inmesh_ejections_total` for a counter. */
export function spelled(metric: string, spelling: Spelling): string {
  return respelled(prometheusName(definitionOf(metric)), spelling);
}

const inSeconds = Object.values(metricTable).filter(({ unit }) => unit === "s");
// A name may be the beginning of a longer one: it must be followed by a word boundary or by the suffix of a histogram.
const spelledWithUnit = new RegExp(
  `\\b(${inSeconds.map((each) => labelName(each.name)).join("|")})_seconds(?=(?:_bucket|_count|_sum)?\\b)`,
  "g",
);

/** `text` with the names of metrics changed from the `otlp` spelling to `spelling`. */
export function respelled(text: string, spelling: Spelling): string {
  return spelling === "otlp" ? text : text.replace(spelledWithUnit, "$1");
}
