import type { AlertDefinition } from "./alert-definition.ts";
import { calls, type Grouping, rate, ratio, retriesPerCall } from "./expressions.ts";
import { alertLabels, attemptErrorRatio, callsOver, errorRatioOver, latencyP99, type Window } from "./recording-rules.ts";
import { recorded, type Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

const service = "{{ $labels.server_service_name }}";
const from = `calls of {{ $labels.job }} to ${service}`;

/** Alerts on what callers get, and on what it costs to give it to them. */
export function callAlerts(scope: Scope, thresholds: AllThresholds): readonly AlertDefinition[] {
  const { objective, latencyObjectiveMs, minCallsPerSecond } = thresholds;
  const five: Grouping = { scope, window: "5m", by: alertLabels };
  const busy = (window: Window): string => `and ${recorded(scope, callsOver(window))} > ${minCallsPerSecond}`;
  /** The Site Reliability Workbook, chapter 5: both windows, so that it fires soon and ends soon. */
  const burn = (factor: number, long: Window, short: Window): string => {
    const bound = factor === 1 ? `(1 - ${objective})` : `(${factor} * (1 - ${objective}))`;
    const above = (window: Window): string => `${recorded(scope, errorRatioOver(window))} > ${bound}`;
    return `${above(long)}\nand ${above(short)}\n${busy(long)}`;
  };
  const goal = `The objective is ${percent(objective)} of calls, retries included.`;
  return [
    {
      alert: "InmeshErrorBudgetBurnFast",
      severity: "page",
      expr: burn(14.4, "1h", "5m"),
      for: "2m",
      summary: `${service} fails its callers`,
      description: `{{ $value | humanizePercentage }} of the ${from} failed within the last hour. ${goal} At 14.4 times the rate that spends the error budget in 30 days it is gone in two.`,
    },
    {
      alert: "InmeshErrorBudgetBurnSlow",
      severity: "page",
      expr: burn(6, "6h", "30m"),
      for: "15m",
      summary: `${service} has failed its callers for hours`,
      description: `{{ $value | humanizePercentage }} of the ${from} failed within the last six hours. ${goal} At 6 times the rate that spends the error budget in 30 days it is gone in five.`,
    },
    {
      alert: "InmeshErrorBudgetSpent",
      severity: "ticket",
      expr: burn(1, "3d", "6h"),
      for: "1h",
      summary: `${service} spends its error budget faster than it may`,
      description: `{{ $value | humanizePercentage }} of the ${from} failed within the last three days. ${goal}`,
    },
    {
      alert: "InmeshRetriesHideFailures",
      severity: "ticket",
      expr: `${recorded(scope, attemptErrorRatio)} - ${recorded(scope, errorRatioOver("5m"))} > 0.05\n${busy("5m")}`,
      for: "10m",
      summary: `Retries hide failures of ${service}`,
      description: `The share of attempts that fail is {{ $value | humanizePercentage }} above the share of ${from} that do. Callers are spared by retries, which cost load and latency, and stop when their budget is spent.`,
    },
    {
      alert: "InmeshLatencyHigh",
      severity: "ticket",
      expr: `${recorded(scope, latencyP99)} > ${latencyObjectiveMs / 1000}\n${busy("5m")}`,
      for: "10m",
      summary: `${service} is slow`,
      description: `1 % of the ${from} that succeed take {{ $value | humanizeDuration }} or longer; the objective is ${latencyObjectiveMs} ms.`,
    },
    {
      alert: "InmeshRetryStorm",
      severity: "ticket",
      expr: `${retriesPerCall(five)} > 0.2\n${busy("5m")}`,
      for: "5m",
      summary: `${service} is retried much`,
      description: `There are {{ $value | humanizePercentage }} as many retries as ${from}.`,
    },
    {
      alert: "InmeshRetryBudgetExhausted",
      severity: "ticket",
      expr: `${rate(five, "inmesh.client.retries.denied", ['inmesh_retry_denial="budget"'])} > 0`,
      for: "5m",
      summary: `Failures of ${service} are not retried any more`,
      description: `{{ printf "%.2f" $value }} retries per second of ${from} are not made because their budget is spent. Callers see the failures.`,
    },
    {
      alert: "InmeshDeadlineExceeded",
      severity: "ticket",
      expr: `${ratio(rate(five, "inmesh.client.deadline.exceeded"), calls(five))} > 0.01\n${busy("5m")}`,
      for: "10m",
      summary: `Calls to ${service} run out of time`,
      description: `{{ $value | humanizePercentage }} of the ${from} ended because their deadline had come.`,
    },
    {
      alert: "InmeshOverloaded",
      severity: "ticket",
      expr: `${ratio(rate(five, "inmesh.client.call.duration", ['error_type="ERR_MESH_OVERLOADED"'], "count"), calls(five))} > 0.01\n${busy("5m")}`,
      for: "5m",
      summary: `Calls to ${service} are turned away`,
      description: `{{ $value | humanizePercentage }} of the ${from} were refused by the mesh: the concurrency limit or the throttle holds back what the service would not manage.`,
    },
  ];
}

/** 0.999 as `99.9 %`, without the digits that binary adds. */
function percent(share: number): string {
  return `${Number((share * 100).toFixed(6))} %`;
}
