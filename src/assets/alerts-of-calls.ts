import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { calls, type Grouping, rate, ratio, retriesPerCall } from "./expressions.ts";
import { alertLabels, attemptErrorRatio, callsOver, errorRatioOver, latencyP99 } from "./recording-rules.ts";
import { recorded, type Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

const callsOfJob = `calls of ${job} to ${service}`;
const share = "{{ $value | humanizePercentage }}";

/** Alerts on the cost of successful calls: retries and latency. */
export function retryAndLatencyAlerts(scope: Scope, thresholds: AllThresholds): readonly AlertDefinition[] {
  const { latencyObjectiveMs } = thresholds;
  const busy = isBusy(scope, thresholds);
  const grouping = ofFiveMinutes(scope);
  return [
    {
      alert: "InmeshRetriesHideFailures",
      severity: "ticket",
      expr: `${recorded(scope, attemptErrorRatio)} - ${recorded(scope, errorRatioOver("5m"))} > 0.05\n${busy}`,
      for: "10m",
      summary: `Retries hide failures of ${service}`,
      description: `The share of attempts that fail is ${share} above the share of ${callsOfJob} that do. Retries keep the failures from the callers; they cost load and latency, and end when their budget is used up.`,
    },
    {
      alert: "InmeshLatencyHigh",
      severity: "ticket",
      expr: `${recorded(scope, latencyP99)} > ${latencyObjectiveMs / 1000}\n${busy}`,
      for: "10m",
      summary: `${service} is slow`,
      description: `1 % of the ${callsOfJob} that succeed take {{ $value | humanizeDuration }} or longer; the objective is ${latencyObjectiveMs} ms.`,
    },
    {
      alert: "InmeshRetryStorm",
      severity: "ticket",
      expr: `${retriesPerCall(grouping)} > 0.2\n${busy}`,
      for: "5m",
      summary: `Many attempts to ${service} are retries`,
      description: `There are ${share} as many retries as ${callsOfJob}.`,
    },
    {
      alert: "InmeshRetryBudgetExhausted",
      severity: "ticket",
      expr: `${rate(grouping, "inmesh.client.retries.denied", ['inmesh_retry_denial="budget"'])} > 0`,
      for: "5m",
      summary: `Failures of ${service} are no longer retried`,
      description: `{{ printf "%.2f" $value }} retries per second of ${callsOfJob} are not made because their budget is used up. The failures reach the callers.`,
    },
  ];
}

/** Alerts on calls that the mesh ends: at their deadline, or because the service is overloaded. */
export function endedCallAlerts(scope: Scope, thresholds: AllThresholds): readonly AlertDefinition[] {
  const busy = isBusy(scope, thresholds);
  const grouping = ofFiveMinutes(scope);
  const overloaded = rate(grouping, "inmesh.client.call.duration", ['error_type="ERR_MESH_OVERLOADED"'], "count");
  return [
    {
      alert: "InmeshDeadlineExceeded",
      severity: "ticket",
      expr: `${ratio(rate(grouping, "inmesh.client.deadline.exceeded"), calls(grouping))} > 0.01\n${busy}`,
      for: "10m",
      summary: `Calls to ${service} exceed their deadline`,
      description: `${share} of the ${callsOfJob} ended because their deadline had passed.`,
    },
    {
      alert: "InmeshOverloaded",
      severity: "ticket",
      expr: `${ratio(overloaded, calls(grouping))} > 0.01\n${busy}`,
      for: "5m",
      summary: `Calls to ${service} are refused`,
      description: `${share} of the ${callsOfJob} were refused by the mesh: the concurrency limit or the throttle holds back more load than the service can serve.`,
    },
  ];
}

function ofFiveMinutes(scope: Scope): Grouping {
  return { scope, window: "5m", by: alertLabels };
}

/** Leaves out services with so few calls that shares and percentiles say nothing. */
function isBusy(scope: Scope, { minCallsPerSecond }: AllThresholds): string {
  return `and ${recorded(scope, callsOver("5m"))} > ${minCallsPerSecond}`;
}
