import { type AlertDefinition, jobTemplate as job, serviceTemplate as service } from "./alert-definition.ts";
import { callsOver, errorRatioOver, type Window } from "./recording-rules.ts";
import { recorded, type Scope } from "./selection.ts";
import type { AllThresholds } from "./thresholds.ts";

const calls = `calls of ${job} to ${service}`;

/**
 * Alerts on the rate at which failed calls use up the error budget, by the multiwindow, multi-burn-rate method of the Site
 * Reliability Workbook, chapter 5: the short window makes an alert end soon after the failures do.
 */
export function errorBudgetAlerts(scope: Scope, { objective, minCallsPerSecond }: AllThresholds): readonly AlertDefinition[] {
  const burn = (factor: number, long: Window, short: Window): string => {
    const bound = factor === 1 ? `(1 - ${objective})` : `(${factor} * (1 - ${objective}))`;
    const above = (window: Window): string => `${recorded(scope, errorRatioOver(window))} > ${bound}`;
    return `${above(long)}\nand ${above(short)}\nand ${recorded(scope, callsOver(long))} > ${minCallsPerSecond}`;
  };
  const failed = `{{ $value | humanizePercentage }} of the ${calls} failed within the last`;
  const goal = `The objective is ${percent(objective)} of calls, retries included.`;
  return [
    {
      alert: "InmeshErrorBudgetBurnFast",
      severity: "page",
      expr: burn(14.4, "1h", "5m"),
      for: "2m",
      summary: `Calls to ${service} fail`,
      description: `${failed} hour. ${goal} At this rate of at least 14.4 times the allowed one, the error budget of 30 days is used up within two days.`,
    },
    {
      alert: "InmeshErrorBudgetBurnSlow",
      severity: "page",
      expr: burn(6, "6h", "30m"),
      for: "15m",
      summary: `Calls to ${service} have failed for hours`,
      description: `${failed} six hours. ${goal} At this rate of at least 6 times the allowed one, the error budget of 30 days is used up within five days.`,
    },
    {
      alert: "InmeshErrorBudgetSpent",
      severity: "ticket",
      expr: burn(1, "3d", "6h"),
      for: "1h",
      summary: `Calls to ${service} fail more often than the objective allows`,
      description: `${failed} three days. ${goal}`,
    },
  ];
}

/** 0.999 as `99.9 %`, without the digits that binary adds. */
function percent(share: number): string {
  return `${Number((share * 100).toFixed(6))} %`;
}
