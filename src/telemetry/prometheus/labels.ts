import type { Attributes } from "@opentelemetry/api";
import { labelName } from "./spelling.ts";

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/** The labels for attributes. */
export function labelsOf(attributes: Attributes): Labels {
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) labels[labelName(name)] = wellFormed(String(value));
  }
  return labels;
}

/** A key that is equal for two sets of labels exactly when they are the same series. */
export function seriesOf(labels: Labels): string {
  // The package's own keys join values with "|": a value with a "|" in it would make one series of two.
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `value` as well-formed Unicode, so that no two values are equal on the wire, and without NUL, at which Prometheus' parser stops. */
function wellFormed(value: string): string {
  return value.toWellFormed().replaceAll("\0", "\uFFFD");
}
