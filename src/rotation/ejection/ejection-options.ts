import { optionTable } from "../../core/settings/option-table.ts";
import { group, integer, number, orFalse, timerMs } from "../../core/settings/rules.ts";
import type { EjectionOptions, FailurePercentageOptions, SuccessRateOptions } from "./ejection.ts";

/** The rules of {@link SuccessRateOptions}. */
export const successRateOptions = optionTable<SuccessRateOptions>()({
  deviations: number({ default: 1.9, min: 0 }),
  minCalls: integer({ default: 100, min: 1 }),
  minInstances: integer({ default: 5, min: 2 }),
});

/** The rules of {@link FailurePercentageOptions}. */
export const failurePercentageOptions = optionTable<FailurePercentageOptions>()({
  threshold: number({ default: 85, min: 1, max: 100, unit: "%" }),
  minCalls: integer({ default: 50, min: 1 }),
  minInstances: integer({ default: 2, min: 2 }),
});

/** The rules of {@link EjectionOptions}. */
export const ejectionOptions = optionTable<EjectionOptions>()({
  intervalMs: timerMs({ default: 10_000, min: 1 }),
  baseEjectionMs: number({ default: 30_000, min: 1, unit: "ms" }),
  maxEjectionMs: number({ default: 300_000, min: 1, unit: "ms" }),
  maxEjectionPercent: number({ default: 50, min: 1, max: 100, unit: "%" }),
  successRate: orFalse(group(successRateOptions)),
  failurePercentage: orFalse(group(failurePercentageOptions)),
});
