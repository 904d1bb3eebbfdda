import type { StepCounts, TargetCounts } from "./canary-counts.ts";

/**
 * How many times as often the canary fails, or is slow, in the hypotheses that are weighed against "no oftener". A mixture of them loses at most the
 * logarithm of their number against the best.
 */
const ratios = [1.25, 1.5, 2, 3, 5, 10, 30] as const;

/** The kind of event that is evidence: a failed call or a slow one. */
export type CountedEvent = "counted" | "slow";

/**
 * The evidence that the canary fails (or is slow) oftener than the stable target, as the natural logarithm of an e-value.
 *
 * Calls are given to the canary by chance, with the share `w` of the step. If it is no worse, an event is one of the canary with the chance `w` at most,
 * whatever the calls are and however often all of them fail at that time. If it fails `r` times as often, that chance is `q = wr / (wr + 1 - w)`. The
 * product of the ratios of both chances, over all events, is a martingale under the first hypothesis, and so is the mean over several `r`. By Ville's
 * inequality it ever reaches `1/a` with a probability of `a` at most: the counts may be looked at as often as one likes, and summed over steps and
 * processes in any order.
 *
 * (Wald, Sequential Analysis, 1947; Johari, Koomen, Pekelis and Walsh, Always Valid Inference, Operations Research 70(3), 2022; Ramdas, Grünwald, Vovk
 * and Shafer, Game-Theoretic Statistics and Safe Anytime-Valid Inference, Statistical Science 38(4), 2023.)
 * @param shares the share of the canary in each step, 0 to 1
 */
export function evidenceOf(event: CountedEvent, steps: readonly StepCounts[], shares: readonly number[]): number {
  const logs = ratios.map((ratio) => {
    let sum = 0;
    for (const [step, { stable, canary }] of steps.entries()) {
      const share = shares[step] ?? 1;
      // With a share of all there is nothing to compare with.
      if (share <= 0 || share >= 1) continue;
      const expected = (share * ratio) / (share * ratio + 1 - share);
      sum += canary[event] * Math.log(expected / share) + stable[event] * Math.log((1 - expected) / (1 - share));
    }
    return sum;
  });
  return meanOfEvidence(logs);
}

/** The evidence of several together, whatever they have in common: the mean of e-values is one. */
export function meanOfEvidence(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length);
}

/**
 * How much more often the canary fails than the stable target, as a difference of rates: the mean over the steps, weighted as Mantel and Haenszel do, so that
 * an outage of all while its share was large does not count against it.
 */
export function excessOf(steps: readonly StepCounts[]): number {
  let excess = 0;
  let weight = 0;
  for (const { stable, canary } of steps) {
    const all = stable.calls + canary.calls;
    if (stable.calls === 0 || canary.calls === 0) continue;
    excess += (canary.failed * stable.calls - stable.failed * canary.calls) / all;
    weight += (stable.calls * canary.calls) / all;
  }
  return weight === 0 ? 0 : excess / weight;
}

/** The part of the calls that failed, 0 to 1. */
export function failureRate({ calls, failed }: TargetCounts): number {
  return calls === 0 ? 0 : failed / calls;
}

/** The part of the timed calls that were slow, 0 to 1. */
export function slowRate({ timed, slow }: TargetCounts): number {
  return timed === 0 ? 0 : slow / timed;
}
