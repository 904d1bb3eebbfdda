import { type FailurePercentageOptions, failurePercentageOptions } from "./ejection-options.ts";
import type { OutcomeCounts } from "./outcome-counts.ts";

/**
 * The instances that fail nearly always (Envoy's outlier detection, gRFC A50), if the other instances together fail less than half as often.
 * Without the comparison, a request that no instance can serve would eject half of the service. With it the rule also judges two, three and
 * four instances, where standard deviations say nothing.
 */
export function failurePercentageOutliers<Key>(
  counts: Iterable<readonly [Key, OutcomeCounts]>,
  options: FailurePercentageOptions = {},
): readonly Key[] {
  const { threshold, minCalls, minInstances } = failurePercentageOptions.settle(options);
  const judged = [...counts].filter(([, { calls }]) => calls >= minCalls);
  if (judged.length < minInstances) return [];
  const share = threshold / 100;
  const isBad = ({ calls, failures }: OutcomeCounts) => failures >= share * calls;
  // The bad ones are compared with the rest, not with each other: of five instances two may be broken in the same way.
  const rest = judged.filter(([, each]) => !isBad(each)).reduce(total, { calls: 0, failures: 0 });
  if (rest.calls === 0) return [];
  const restShare = rest.failures / rest.calls;
  return judged.filter(([, each]) => isBad(each) && restShare < each.failures / each.calls / 2).map(([key]) => key);
}

function total(sum: OutcomeCounts, [, { calls, failures }]: readonly [unknown, OutcomeCounts]): OutcomeCounts {
  return { calls: sum.calls + calls, failures: sum.failures + failures };
}
