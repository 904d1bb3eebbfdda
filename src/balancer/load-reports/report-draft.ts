/** A load report that is being read. */
export interface ReportDraft {
  cpuUtilization: number;
  applicationUtilization: number;
  rps: number;
  eps: number;
  named: Map<string, number>;
}

const maxNamed = 64;
/** Highest number of a report: no requests or seconds reach it, and in a sum a higher one would drown all others. */
const maxValue = 1e12;

const scalars: ReadonlyMap<string, keyof Omit<ReportDraft, "named">> = new Map([
  ["cpu_utilization", "cpuUtilization"],
  ["cpu", "cpuUtilization"],
  ["application_utilization", "applicationUtilization"],
  ["rps_fractional", "rps"],
  ["eps", "eps"],
]);

/** Prefix of the names of an application's own metrics. */
export const namedPrefix = "named_metrics.";

export function emptyDraft(): ReportDraft {
  return { cpuUtilization: 0, applicationUtilization: 0, rps: 0, eps: 0, named: new Map() };
}

/** Whether a field of this name must be a number. */
export function isScalar(name: string): boolean {
  return scalars.has(name);
}

/** Sets a field by its name in the message; fields without a use here are ignored. Returns `false` for an impossible value. */
export function setField(draft: ReportDraft, name: string, value: unknown): boolean {
  if (typeof value !== "number" || !(Math.abs(value) <= maxValue)) return false;
  if (name.startsWith(namedPrefix)) {
    if (name.length === namedPrefix.length || draft.named.size >= maxNamed) return false;
    draft.named.set(name.slice(namedPrefix.length), value);
    return true;
  }
  const field = scalars.get(name);
  if (field === undefined) return true;
  if (value < 0) return false;
  draft[field] = value;
  return true;
}
