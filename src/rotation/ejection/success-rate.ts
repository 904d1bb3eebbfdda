import { type SuccessRateOptions, successRateOptions } from "./ejection-options.ts";
import type { OutcomeCounts } from "./outcome-counts.ts";

/**
 * From this success rate on, in percent, an instance is no outlier: where the others never fail, a single failure is more than 1.9 standard
 * deviations below their mean.
 */
const alwaysGoodEnough = 95;

/**
 * The instances that succeed far less often than the mean (Envoy's outlier detection, gRFC A50): threshold = mean − `deviations` × population
 * standard deviation of the success rates, in percent, each instance weighing the same.
 */
export function successRateOutliers<Key>(
  counts: Iterable<readonly [Key, OutcomeCounts]>,
  options: SuccessRateOptions = {},
): readonly Key[] {
  const { deviations, minCalls, minInstances } = successRateOptions.settle(options);
  const rates = [...counts]
    .filter(([, { calls }]) => calls >= minCalls)
    .map(([key, { calls, failures }]) => [key, 100 * (1 - failures / calls)] as const);
  if (rates.length < minInstances) return [];
  const threshold = Math.min(
    successRateThreshold(
      rates.map(([, rate]) => rate),
      deviations,
    ),
    alwaysGoodEnough,
  );
  return rates.filter(([, rate]) => rate < threshold).map(([key]) => key);
}

/** The success rate, in percent, below which an instance among `rates` is an outlier. */
export function successRateThreshold(rates: readonly number[], deviations: number): number {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length;
  return mean - deviations * Math.sqrt(variance);
}
