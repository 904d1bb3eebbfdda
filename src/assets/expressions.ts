import { attribute } from "../telemetry/attribute-names.ts";
import { labelName } from "../telemetry/prometheus/spelling.ts";
import { type Scope, select } from "./selection.ts";
import type { HistogramPart } from "./spelling.ts";

/** Selection, window and grouping of an aggregated expression. */
export interface Grouping {
  readonly scope: Scope;
  /** A range in PromQL's notation: `5m`, `$__rate_interval`. */
  readonly window: string;
  /** The labels that are kept, such as `job, server_service_name`; empty: none. */
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

/** The rate of everything that the processes themselves have served: requests of HTTP, and calls of gRPC, which are measured in their place. */
export function servedRequests({ scope, window, by }: Grouping): string {
  const of = (metric: string) => `rate(${select(scope, metric, [], "count")}[${window}])`;
  return sum(by, `${of("http.server.request.duration")} or ${of("rpc.server.call.duration")}`);
}

/** One rate divided by another. A numerator without series counts as zero, not as missing. */
export function ratio(numerator: string, denominator: string): string {
  return `(${numerator} or ${denominator} * 0) / ${denominator}`;
}

/** Calls per second, without those that their callers aborted: they say nothing about the service. */
export function calls(grouping: Grouping): string {
  return rate(grouping, callDuration, [`${outcome}!="cancelled"`], "count");
}

/** Calls per second that failed or were refused. */
export function failedCalls(grouping: Grouping): string {
  return rate(grouping, callDuration, [`${outcome}=~"error|rejected"`], "count");
}

/** The share of calls that failed: 1 − effective success. */
export function callErrorRatio(grouping: Grouping): string {
  return ratio(failedCalls(grouping), calls(grouping));
}

/** Attempts per second. */
export function attempts(grouping: Grouping): string {
  return rate(grouping, attemptDuration, [], "count");
}

/** Attempts per second that failed. A 4xx is no failure, as for calls. */
export function failedAttempts(grouping: Grouping): string {
  return rate(grouping, attemptDuration, [`${errorType}!=""`, `${errorType}!~"4.."`], "count");
}

/** The share of attempts that failed: 1 − actual success. */
export function attemptErrorRatio(grouping: Grouping): string {
  return ratio(failedAttempts(grouping), attempts(grouping));
}

/** A quantile of the duration of successful calls, in seconds. */
export function callLatency(quantile: number, grouping: Grouping): string {
  return quantileOf(quantile, callDuration, grouping, [`${outcome}="success"`]);
}

/** A quantile of the duration of attempts, in seconds. */
export function attemptLatency(quantile: number, grouping: Grouping): string {
  return quantileOf(quantile, attemptDuration, grouping);
}

/** A quantile of the duration of requests that the processes themselves served, in seconds. */
export function servedLatency(quantile: number, grouping: Grouping): string {
  return quantileOf(quantile, "http.server.request.duration", grouping);
}

/** Retries per call. */
export function retriesPerCall(grouping: Grouping): string {
  return ratio(rate(grouping, "inmesh.client.retries"), calls(grouping));
}

function quantileOf(quantile: number, metric: string, grouping: Grouping, where: readonly string[] = []): string {
  const buckets = rate({ ...grouping, by: labels("le", grouping.by) }, metric, where, "bucket");
  return `histogram_quantile(${quantile}, ${buckets})`;
}

function labels(...names: readonly string[]): string {
  return names.filter((name) => name !== "").join(", ");
}
