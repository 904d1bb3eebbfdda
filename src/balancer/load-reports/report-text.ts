import { isScalar, namedPrefix, type ReportDraft, setField } from "./report-draft.ts";

/** Each digit has one place where it may stand, so that the time is linear. */
const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads `cpu_utilization=0.3, rps_fractional=10.0, named_metrics.queue=0.4`; a colon may stand for `=`, as in Envoy.
 * @returns `false` for a malformed report
 */
export function readText(text: string, draft: ReportDraft): boolean {
  const seen = new Set<string>();
  for (const pair of text.split(",")) {
    const separator = pair.search(/[=:]/);
    if (separator < 0) {
      if (pair.trim() === "") continue;
      return false;
    }
    const name = pair.slice(0, separator).trim();
    const value = pair.slice(separator + 1).trim();
    if (seen.has(name) || !decimal.test(value) || !setField(draft, name, Number(value))) return false;
    seen.add(name);
  }
  return seen.size > 0;
}

/**
 * Reads protobuf's JSON, with names as in the message or in camel case.
 * @returns `false` for a malformed report
 */
export function readJson(text: string, draft: ReportDraft): boolean {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof report !== "object" || report === null || Array.isArray(report)) return false;
  for (const [key, value] of Object.entries(report)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (typeof value === "number") {
      if (!setField(draft, name, value)) return false;
    } else if (name === "named_metrics" && typeof value === "object" && value !== null) {
      for (const [metric, number] of Object.entries(value)) if (!setField(draft, namedPrefix + metric, number)) return false;
    } else if (isScalar(name)) {
      return false;
    }
  }
  return true;
}
