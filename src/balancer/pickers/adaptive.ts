import { type Clock, type Random, systemClock } from "../../core/clock.ts";
import { checkFunction, checkKeys, checkNumber, checkObject } from "../../core/options.ts";
import type { Upstream } from "../../core/upstream.ts";
import { RouteClasses } from "../learning/route-classes.ts";
import { AttemptOnRecord, TrackRecord } from "../learning/track-record.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { costFactor, leastWeight, weighList, weightOf } from "../lists/weights.ts";
import type { AttemptLearner, Picker } from "../picker.ts";

/** Options of {@link adaptive}. */
export interface AdaptiveOptions {
  /** Time constant of the latency average in milliseconds. @default 10000 */
  readonly decayMs?: number;
  /** An instance's failure rate halves in so many milliseconds in which it is given nothing to do. @default 10000 */
  readonly failureHalfLifeMs?: number;
  /** How many requests in flight a failure rate of 1 weighs as much as. @default 100 */
  readonly failureWeight?: number;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. */
  readonly random?: Random;
  /** What latency is measured with. @default the mesh's clock */
  readonly clock?: Clock;
}

/** Up to so many candidates a pick looks at each; of more it looks at `draws` drawn at random. */
const maxScanned = 32;
const draws = 12;
/** A failure rate that no instance is blamed for. */
const tolerated = 0.02;
/** The part of what the others' rates are that no instance is blamed for either: bad input of the callers hits all. */
const commonPart = 0.5;
/** A rate is taken for that of so many outcomes, when it is asked how far chance may put it above the others'. */
const sampleSize = 20;
/** Below it latencies do not differ, and a latency of 0 would hide the requests in flight. */
const minLatencyMs = 0.01;
/** In milliseconds: so that an instance which has not answered yet gets no second request while others are known. */
const unknownLatencyMs = 1e6;

/**
 * The candidate with the least expected cost: its latency of successes (peak EWMA), or the mean age of the requests that
 * wait for it where that is more, × (requests in flight + 1 + `failureWeight` × its recent failure rate on the route). Where
 * weights differ, what is in flight counts by weight.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function adaptive(options: AdaptiveOptions = {}): Picker {
  const { decayMs = 10_000, failureHalfLifeMs = 10_000, failureWeight = 100, random = Math.random, clock = systemClock } = options;
  checkKeys("adaptive", options, ["decayMs", "failureHalfLifeMs", "failureWeight", "random", "clock"]);
  checkNumber("adaptive: decayMs", decayMs, 1);
  checkNumber("adaptive: failureHalfLifeMs", failureHalfLifeMs, 1);
  checkNumber("adaptive: failureWeight", failureWeight, 0, Number.MAX_SAFE_INTEGER);
  checkFunction("adaptive: random", random);
  checkObject("adaptive: clock", clock);
  const learnt = new PerUpstream(() => new TrackRecord());
  const weights = new PerList(weighList);
  const routes = new RouteClasses();
  const recordOptions = { decayMs, failureHalfLifeMs, clock };
  // Of the pick that is going on: which candidates it looks at, their failure rates, and what their weights make of a request.
  const looked = new Uint32Array(maxScanned);
  const rates = new Float64Array(maxScanned);
  const factors = new Float64Array(maxScanned).fill(1);
  const fleet: Fleet = { fastestMs: 0, cleanMs: 0 };

  /** `penalty`: as many requests as a failure weighs; each of them takes at least what it takes those that do not fail. */
  const costOf = (upstream: Upstream, record: TrackRecord, factor: number, penalty: number, fleet: Fleet, now: number): number => {
    const load = (upstream.inFlight + 1) * factor;
    if (!record.latency.known) {
      // It is tried at once, with one request: a thousand callers that start together do not all go to the same unknown.
      if (upstream.inFlight === 0 && penalty === 0) return 0;
      if (upstream.inFlight > 0 || fleet.fastestMs === Number.POSITIVE_INFINITY) return unknownLatencyMs * (load + penalty);
      // It has only failed so far: it is tried again when that has faded, as those are that had answered before.
    }
    // What is not picked decays towards the fastest, and no further: it is tried again, the better ones first, and not by everybody.
    const readMs = record.latency.known ? record.latency.read(now, decayMs, fleet.fastestMs) : fleet.fastestMs;
    const latencyMs = Math.max(readMs, record.meanAgeMs(now), minLatencyMs);
    return latencyMs * load + Math.max(latencyMs, fleet.cleanMs) * penalty;
  };

  /** The lowest of the latencies now of those that do not fail: when all are slow, one that fails fast is no way out. */
  const lowestOfClean = (upstreams: readonly Upstream[], count: number, now: number): number => {
    let lowest = Number.POSITIVE_INFINITY;
    for (let at = 0; at < count; at++) {
      const record = learnt.at(upstreams, looked[at] as number);
      if ((rates[at] as number) > tolerated || !record.latency.known) continue;
      lowest = Math.min(lowest, Math.max(record.latency.last, record.meanAgeMs(now)));
    }
    return lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
  };

  return {
    update(upstreams) {
      learnt.update(upstreams);
      weights.announce(upstreams);
    },
    pick(upstreams, request) {
      const size = upstreams.length;
      if (size < 2) return upstreams[0];
      const isScan = size <= maxScanned;
      const count = isScan ? size : draws;
      const now = clock.now();
      const route = routes.of(request);
      const weighed = weights.of(upstreams) ?? weighList(upstreams);
      // A failure weighs as much as so many requests at the lightest, or a heavy instance could fail and still look the least busy.
      let highestFactor = 1;
      let fastestMs = Number.POSITIVE_INFINITY;
      let sumOfRates = 0;
      let highestRate = 0;
      for (let at = 0; at < count; at++) {
        const index = isScan ? at : drawIndex(random, size);
        const { latency, failures } = learnt.at(upstreams, index);
        const rate = failures.of(route, now, failureHalfLifeMs);
        looked[at] = index;
        rates[at] = rate;
        sumOfRates += rate;
        if (rate > highestRate) highestRate = rate;
        if (!weighed.isEven) {
          const factor = costFactor(upstreams[index] as Upstream, weighed);
          factors[at] = factor;
          if (factor > highestFactor) highestFactor = factor;
        }
        if (latency.known && latency.last < fastestMs) fastestMs = latency.last;
      }
      fleet.fastestMs = fastestMs;
      fleet.cleanMs = highestRate > tolerated ? lowestOfClean(upstreams, count, now) : 0;
      let best = upstreams[looked[0] as number];
      let bestCost = Number.POSITIVE_INFINITY;
      let ties = 0;
      for (let at = 0; at < count; at++) {
        const index = looked[at] as number;
        const upstream = upstreams[index] as Upstream;
        const penalty = failureWeight * highestFactor * blameFor(rates[at] as number, sumOfRates, count);
        const factor = weighed.isEven ? 1 : (factors[at] as number);
        const cost = costOf(upstream, learnt.at(upstreams, index), factor, penalty, fleet, now);
        if (cost < bestCost) {
          best = upstream;
          bestCost = cost;
          ties = 1;
        } else if (cost === bestCost && drawIndex(random, ++ties) === 0) {
          best = upstream;
        }
      }
      return best;
    },
    onAttempt: (upstream, request): AttemptLearner => new AttemptOnRecord(learnt.of(upstream), routes.of(request), recordOptions),
    explain(upstream) {
      const now = clock.now();
      const record = learnt.of(upstream);
      const failureRatio = record.failures.worst(now, failureHalfLifeMs);
      const penalty = failureWeight * Math.max(0, failureRatio - tolerated);
      const factor = 1 / Math.max(weightOf(upstream), leastWeight);
      return {
        cost: costOf(upstream, record, factor, penalty, alone, now),
        latencyMs: record.latency.read(now, decayMs),
        failureRatio,
        waiting: record.waiting,
      };
    },
    forService: (_service, context) =>
      adaptive({
        decayMs,
        failureHalfLifeMs,
        failureWeight,
        random: options.random ?? context?.random ?? random,
        clock: options.clock ?? context?.clock ?? clock,
      }),
  };
}

/** What a cost takes from the other candidates of the pick. */
interface Fleet {
  /** The lowest average latency; infinite when none is known. */
  fastestMs: number;
  cleanMs: number;
}

/** An instance by itself. */
const alone: Fleet = { fastestMs: 0, cleanMs: 0 };

/** How much of an instance's failure rate is more than all have in common, and more than chance makes of that. */
function blameFor(rate: number, sumOfRates: number, count: number): number {
  if (rate <= tolerated) return 0;
  const others = Math.min(1, Math.max(0, (sumOfRates - rate) / (count - 1)));
  return Math.max(0, rate - tolerated - commonPart * others - Math.sqrt((others * (1 - others)) / sampleSize));
}
