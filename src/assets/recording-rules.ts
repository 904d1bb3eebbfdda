import { attempts, callLatency, calls, failedAttempts, failedCalls, type Grouping } from "./expressions.ts";
import { recorded, type Scope, serviceLabel } from "./selection.ts";

/** A series that Prometheus computes from others. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** Rules that are evaluated one after the other, at one time. */
export interface RuleGroup<Rule> {
  readonly name: string;
  /** A duration; that of Prometheus' configuration without it. */
  readonly interval?: string;
  readonly rules: readonly Rule[];
}

/** The labels that alerts and recorded series have: who calls, and who is called. */
export const alertLabels: string = `job, ${serviceLabel}`;

/** Windows whose rates are computed from what was scraped, and those that are computed from recorded rates: for days of samples that is a hundredth of the work. */
const shortWindows = ["5m", "30m", "1h"] as const;
const longWindows = ["6h", "3d"] as const;

/** A window of which the ratio of failed calls is recorded. */
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
/** The name of the recorded 99th percentile of how long calls that succeeded took, in seconds. */
export const latencyP99 = "service:inmesh_call_duration_seconds:p99_rate5m";

const attemptRate = "service:inmesh_attempts:rate5m";
const attemptErrorRate = "service:inmesh_attempt_errors:rate5m";

/** What is recorded of each service: rates of calls, the shares that failed over the windows of the alerts, the 99th percentile. */
export function recordingRules(scope: Scope): readonly RuleGroup<RecordingRule>[] {
  const over = (window: string): Grouping => ({ scope, window, by: alertLabels });
  const made = (name: string): string => recorded(scope, name);
  const share = (window: Window): RecordingRule => ({
    record: errorRatioOver(window),
    expr: `${made(errorsOver(window))} / ${made(callsOver(window))}`,
  });
  const short = shortWindows.flatMap((window) => [
    { record: callsOver(window), expr: calls(over(window)) },
    // Zero, not missing, while nothing fails: a share of it is zero then, and an average over days knows of the good days.
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
    // Below the five minutes after which a series counts as gone.
    { name: "inmesh-services-long", interval: "2m", rules: long },
  ];
}
