import { attempts, callLatency, calls, failedAttempts, failedCalls, type Grouping } from "./expressions.ts";
import { recorded, type Scope, serviceLabel } from "./selection.ts";

/** A recording rule in Prometheus' format. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A group of rules in Prometheus' format: evaluated in order, at the same time. */
export interface RuleGroup<Rule> {
  readonly name: string;
  /** A duration in PromQL's notation. @default `evaluation_interval` of Prometheus' configuration */
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

/** The labels of alerts and recorded series: the caller and the service. */
export const alertLabels: string = `job, ${serviceLabel}`;

/**
 * Rates over the short windows are computed from the scraped samples, those over the long ones from recorded rates, which takes a
 * hundredth of the work.
 */
const shortWindows = ["5m", "30m", "1h"] as const;
const longWindows = ["6h", "3d"] as const;

/** A window over which the share of failed calls is recorded. */
export type Window = (typeof shortWindows)[number] | (typeof longWindows)[number];

/** The name of the recorded rate of calls. */
export function callsOver(window: Window): string {
  return `service:inmesh_calls:rate${window}`;
}

/** The name of the recorded share of calls that failed. */
export function errorRatioOver(window: Window): string {
  return `service:inmesh_call_errors:ratio_rate${window}`;
}

function errorsOver(window: Window): string {
  return `service:inmesh_call_errors:rate${window}`;
}

/** The name of the recorded share of attempts that failed. */
export const attemptErrorRatio = "service:inmesh_attempt_errors:ratio_rate5m";
/** The name of the recorded 99th percentile of the duration of successful calls, in seconds. */
export const latencyP99 = "service:inmesh_call_duration_seconds:p99_rate5m";

const attemptRate = "service:inmesh_attempts:rate5m";
const attemptErrorRate = "service:inmesh_attempt_errors:rate5m";

/** Recording rules per service: the rate and the failed share of calls over each window, those of attempts, and the 99th percentile. */
export function recordingRules(scope: Scope): readonly RuleGroup<RecordingRule>[] {
  const over = (window: string): Grouping => ({ scope, window, by: alertLabels });
  const made = (name: string): string => recorded(scope, name);
  const share = (window: Window): RecordingRule => ({
    record: errorRatioOver(window),
    expr: `${made(errorsOver(window))} / ${made(callsOver(window))}`,
  });
  const short = shortWindows.flatMap((window) => [
    { record: callsOver(window), expr: calls(over(window)) },
    // Zero, not missing, while no call fails: the share is then zero, and an average over days includes the days without failures.
    { record: errorsOver(window), expr: `${failedCalls(over(window))} or ${made(callsOver(window))} * 0` },
    share(window),
  ]);
  const long = longWindows.flatMap((window) => [
    { record: callsOver(window), expr: `avg_over_time(${made(callsOver("5m"))}[${window}])` },
    { record: errorsOver(window), expr: `avg_over_time(${made(errorsOver("5m"))}[${window}])` },
    share(window),
  ]);
  return [
    {
      name: "inmesh-services",
      rules: [
        ...short,
        { record: attemptRate, expr: attempts(over("5m")) },
        { record: attemptErrorRate, expr: `${failedAttempts(over("5m"))} or ${made(attemptRate)} * 0` },
        { record: attemptErrorRatio, expr: `${made(attemptErrorRate)} / ${made(attemptRate)}` },
        { record: latencyP99, expr: callLatency(0.99, over("5m")) },
      ],
    },
    // Shorter than the five minutes after which Prometheus treats a series as stale.
    { name: "inmesh-services-long", interval: "2m", rules: long },
  ];
}
