import { checkInteger, checkKeys, checkNumber, checkObject, maxTimerMs } from "../../core/options.ts";
import type { EjectionOptions } from "./ejection.ts";

/**
 * Checks the `ejection` of a service.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkEjection(option: string, ejection: EjectionOptions | false | undefined): void {
  if (ejection === undefined || ejection === false) return;
  checkObject(option, ejection);
  checkKeys(option, ejection, ["intervalMs", "baseEjectionMs", "maxEjectionMs", "maxEjectionPercent", "successRate", "failurePercentage"]);
  checkNumber(`${option}.intervalMs`, ejection.intervalMs, 1, maxTimerMs);
  checkNumber(`${option}.baseEjectionMs`, ejection.baseEjectionMs, 1);
  checkNumber(`${option}.maxEjectionMs`, ejection.maxEjectionMs, 1);
  checkNumber(`${option}.maxEjectionPercent`, ejection.maxEjectionPercent, 1, 100);
  const { successRate, failurePercentage } = ejection;
  if (successRate !== undefined && successRate !== false) {
    checkObject(`${option}.successRate`, successRate);
    checkKeys(`${option}.successRate`, successRate, ["deviations", "minCalls", "minInstances"]);
    checkNumber(`${option}.successRate.deviations`, successRate.deviations, 0);
    checkInteger(`${option}.successRate.minCalls`, successRate.minCalls, 1);
    checkInteger(`${option}.successRate.minInstances`, successRate.minInstances, 2);
  }
  if (failurePercentage !== undefined && failurePercentage !== false) {
    checkObject(`${option}.failurePercentage`, failurePercentage);
    checkKeys(`${option}.failurePercentage`, failurePercentage, ["threshold", "minCalls", "minInstances"]);
    checkNumber(`${option}.failurePercentage.threshold`, failurePercentage.threshold, 1, 100);
    checkInteger(`${option}.failurePercentage.minCalls`, failurePercentage.minCalls, 1);
    checkInteger(`${option}.failurePercentage.minInstances`, failurePercentage.minInstances, 2);
  }
}
