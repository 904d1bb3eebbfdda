import type { MetricDefinition } from "../metrics/metric-definition.ts";

/** The words that Prometheus has for units of UCUM; those in braces are annotations and have none. */
const unitWords: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", "1": "ratio" };

/**
 * The name that a metric gets in Prometheus when it arrives by OTLP: underscores for dots, the unit, `_total` for counters (OpenTelemetry
 * specification, compatibility/prometheus_and_openmetrics.md).
 */
export function prometheusName({ name, unit, kind }: Pick<MetricDefinition, "name" | "unit" | "kind">): string {
  const word = unitWords[unit];
  const parts = [labelName(name)];
  // Only a gauge of unit 1 is a ratio.
  if (word !== undefined && !(kind === "counter" && unit === "1")) parts.push(word);
  if (kind === "counter") parts.push("total");
  return parts.join("_");
}

/** The name of a label: underscores for characters that are not allowed in one. */
export function labelName(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, "_");
}
