import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkFunction, checkKeys, checkNumber, checkObject } from "../../core/options.ts";
import type { Upstream } from "../../core/upstream.ts";
import { PeakEwma } from "../learning/ewma.ts";
import { type Choices, checkChoices, leastIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { costFactor, leastWeight, weighList, weightOf } from "../lists/weights.ts";
import type { AttemptLearner, Picker } from "../picker.ts";

/** Options of {@link peakEwma}. */
export interface PeakEwmaOptions {
  /** Time constant of the moving average in milliseconds: what was learnt counts half after 0.69 of it. @default 10000 */
  readonly decayMs?: number;
  /** How many candidates, drawn at random, a pick compares; `"all"` compares every one. @default 2 */
  readonly choices?: Choices;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. */
  readonly random?: Random;
  /** What latency is measured with. @default the mesh's clock */
  readonly clock?: Clock;
}

/** Of an instance that has not answered yet but has requests in flight: Finagle's `Long.MaxValue >> 16`. */
const unknownCost = 2 ** 47 - 1;

/**
 * Of two candidates drawn at random the one with the lower peak EWMA of latency × (requests in flight + 1), as in
 * Finagle's `PeakEwma` and Tower's `load::PeakEwma`, divided by the weight where weights differ. The latency of every attempt
 * counts, failed or not.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function peakEwma(options: PeakEwmaOptions = {}): Picker {
  const { decayMs = 10_000, choices = 2, random = Math.random, clock = systemClock } = options;
  checkKeys("peakEwma", options, ["decayMs", "choices", "random", "clock"]);
  checkNumber("peakEwma: decayMs", decayMs, 1);
  checkChoices("peakEwma: choices", choices);
  checkFunction("peakEwma: random", random);
  checkObject("peakEwma: clock", clock);
  const learnt = new PerUpstream(() => new PeakEwma());
  const weights = new PerList(weighList);
  let among: readonly Upstream[] = [];
  let weighed = weighList(among);
  let now = 0;
  const plainCost = ({ inFlight }: Upstream, average: PeakEwma): number => {
    const latencyMs = average.read(now, decayMs);
    // Finagle: unknown and idle is free, so it is tried; unknown and busy is the last resort, so the first answer is awaited.
    if (latencyMs === 0 && inFlight > 0) return unknownCost + inFlight;
    return latencyMs * (inFlight + 1);
  };
  const costOf = (index: number): number => {
    const upstream = among[index] as Upstream;
    return plainCost(upstream, learnt.at(among, index)) * costFactor(upstream, weighed);
  };
  return {
    update(upstreams) {
      learnt.update(upstreams);
      weights.announce(upstreams);
    },
    pick(upstreams) {
      if (upstreams.length < 2) return upstreams[0];
      among = upstreams;
      weighed = weights.of(upstreams) ?? weighList(upstreams);
      now = clock.now();
      return upstreams[leastIndex(upstreams.length, choices, random, costOf)];
    },
    onAttempt(upstream): AttemptLearner {
      const average = learnt.of(upstream);
      const startedAt = clock.now();
      let isObserved = false;
      const observe = () => {
        if (isObserved) return;
        isObserved = true;
        const endedAt = clock.now();
        average.observe(endedAt - startedAt, endedAt, decayMs);
      };
      return { onHead: observe, onEnd: observe };
    },
    explain(upstream) {
      now = clock.now();
      const average = learnt.of(upstream);
      return { cost: plainCost(upstream, average) / Math.max(weightOf(upstream), leastWeight), latencyMs: average.read(now, decayMs) };
    },
    forService: (_service, context) =>
      peakEwma({
        decayMs,
        choices,
        random: options.random ?? context?.random ?? random,
        clock: options.clock ?? context?.clock ?? clock,
      }),
  };
}
