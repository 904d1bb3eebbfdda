import type { Attributes } from "@opentelemetry/api";
import { labelName } from "./spelling.ts";

/** Labels by name. */
export type Labels = Readonly<Record<string, string>>;

/** The labels that stand for attributes. */
export function labelsOf(attributes: Attributes): Labels {
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) labels[labelName(name)] = wellFormed(String(value));
  }
  return labels;
}

/** The same for two sets of labels exactly when they are the same series. */
export function seriesOf(labels: Labels): string {
  // Unlike the package's own keys, which join values with "|": with a "|" in one of them, two series are one there.
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What UTF-8 can hold, so that no two values are the same on the wire; without NUL, at which Prometheus' parser stops. */
function wellFormed(value: string): string {
  return value.toWellFormed().replaceAll("\0", "\uFFFD");
}
