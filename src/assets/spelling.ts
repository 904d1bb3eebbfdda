import { type MetricDefinition, metricTable } from "../telemetry/metrics/metric-table.ts";
import { labelName, prometheusName } from "../telemetry/prometheus/spelling.ts";

/**
 * How exporters spell the unit in a metric's name. `otlp`: with `_seconds`, as Prometheus itself does with OTLP, the OpenTelemetry
 * Collector, and `inmesh/prometheus`. `otel-js`: without, as `@opentelemetry/exporter-prometheus` does.
 */
export type Spelling = "otlp" | "otel-js";

/** All values of {@link Spelling}. */
export const spellings: readonly Spelling[] = ["otlp", "otel-js"];

/** Which of a histogram's series. */
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
// One that begins another would be found in it, so a name must end where it ends, or with what a histogram adds.
const spelledWithUnit = new RegExp(
  `\\b(${inSeconds.map((each) => labelName(each.name)).join("|")})_seconds(?=(?:_bucket|_count|_sum)?\\b)`,
  "g",
);

/** A text that names metrics in the `otlp` spelling, in another one. */
export function respelled(text: string, spelling: Spelling): string {
  return spelling === "otlp" ? text : text.replace(spelledWithUnit, "$1");
}
