import { attribute } from "../telemetry/attribute-names.ts";
import { labelName } from "../telemetry/prometheus/spelling.ts";
import { type Scope, select } from "./selection.ts";
import type { HistogramPart } from "./spelling.ts";

/** Over which stretch, and which labels are kept: `job, server_service_name`, or none. */
export interface Grouping {
  readonly scope: Scope;
  /** A range as PromQL has it: `5m`, `$__rate_interval`. */
  readonly window: string;
  readonly by: string;
}

const outcome = labelName(attribute.outcome);
const errorType = labelName(attribute.errorType);
const callDuration = "inmesh.client.call.duration";
const attemptDuration = "http.client.request.duration";

/** `sum by (…) (…)`. */
export function sum(by: string, expression: string): string {
  return `sum${by === "" ? "" : ` by (${by})`} (${expression})`;
}

/** The rate of a counter, or of a part of a histogram, summed. */
export function rate({ scope, window, by }: Grouping, metric: string, where: readonly string[] = [], part?: HistogramPart): string {
  return sum(by, `rate(${select(scope, metric, where, part)}[${window}])`);
}

/** One rate over another; a numerator that has no series yet is zero, not missing. */
export function ratio(numerator: string, denominator: string): string {
  return `(${numerator} or ${denominator} * 0) / ${denominator}`;
}

/** Calls per second. A call that its caller gave up says nothing about the service and is not counted. */
export function calls(grouping: Grouping): string {
  return rate(grouping, callDuration, [`${outcome}!="cancelled"`], "count");
}

/** Calls per second that failed or were refused. */
export function failedCalls(grouping: Grouping): string {
  return rate(grouping, callDuration, [`${outcome}=~"error|rejected"`], "count");
}

/** The share of calls that failed: 1 - effective success. */
export function callErrorRatio(grouping: Grouping): string {
  return ratio(failedCalls(grouping), calls(grouping));
}

/** Attempts per second. */
export function attempts(grouping: Grouping): string {
  return rate(grouping, attemptDuration, [], "count");
}

/** Attempts per second that failed. A 4xx is an answer, as it is for a call. */
export function failedAttempts(grouping: Grouping): string {
  return rate(grouping, attemptDuration, [`${errorType}!=""`, `${errorType}!~"4.."`], "count");
}

/** The share of attempts that failed: 1 - actual success. */
export function attemptErrorRatio(grouping: Grouping): string {
  return ratio(failedAttempts(grouping), attempts(grouping));
}

/** A quantile of how long calls that succeeded took, in seconds. */
export function callLatency(quantile: number, { scope, window, by }: Grouping): string {
  const buckets = select(scope, callDuration, [`${outcome}="success"`], "bucket");
  return `histogram_quantile(${quantile}, ${sum(labels("le", by), `rate(${buckets}[${window}])`)})`;
}

/** A quantile of how long attempts took, in seconds. */
export function attemptLatency(quantile: number, { scope, window, by }: Grouping): string {
  const buckets = select(scope, attemptDuration, [], "bucket");
  return `histogram_quantile(${quantile}, ${sum(labels("le", by), `rate(${buckets}[${window}])`)})`;
}

/** Retries for each call. */
export function retriesPerCall(grouping: Grouping): string {
  return ratio(rate(grouping, "inmesh.client.retries"), calls(grouping));
}

function labels(...names: readonly string[]): string {
  return names.filter((name) => name !== "").join(", ");
}
