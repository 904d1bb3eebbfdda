import type { MetricDefinition } from "../metrics/metric-table.ts";

/** UCUM units that have a word in Prometheus; those in braces are remarks and have none. */
const unitWords: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", "1": "ratio" };

/**
 * The name of a metric as Prometheus has it from OTLP: underscores for dots, the unit, `_total` for counters
 * (OpenTelemetry specification, compatibility/prometheus_and_openmetrics.md).
 */
export function prometheusName({ name, unit, kind }: Pick<MetricDefinition, "name" | "unit" | "kind">): string {
  const word = unitWords[unit];
  const parts = [labelName(name)];
  // A counter of unit 1 counts; it is no ratio.
  if (word !== undefined && !(kind === "counter" && unit === "1")) parts.push(word);
  if (kind === "counter") parts.push("total");
  return parts.join("_");
}

/** The name of a label: underscores for what may not be in one. */
export function labelName(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, "_");
}
