import { type Clock, type Random, systemClock } from "../core/clock.ts";
import { checkFunction, checkKeys, checkNumber, checkObject } from "../core/options.ts";
import type { Upstream } from "../core/upstream.ts";
import { drawIndex } from "./draw.ts";
import { LearntStates } from "./learnt.ts";
import type { AttemptLearner, Picker } from "./picker.ts";
import { RouteClasses } from "./route-classes.ts";
import { AttemptOnRecord, TrackRecord } from "./track-record.ts";

/** Options of {@link adaptive}. */
export interface AdaptiveOptions {
  /** Time constant of the latency average in milliseconds. @default 5000 */
  readonly decayMs?: number;
  /** An instance's failure rate halves in so many milliseconds in which it is given nothing to do. @default 5000 */
  readonly failureHalfLifeMs?: number;
  /** How many requests in flight a failure rate of 1 weighs as much as. @default 400 */
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
/** Below it latencies do not differ, and a latency of 0 would hide the requests in flight. */
const minLatencyMs = 0.01;
/** In milliseconds: so that an instance which has not answered yet gets no second request while others are known. */
const unknownLatencyMs = 1e6;

/**
 * The candidate with the least expected cost: its latency of successes (peak EWMA), or the mean age of the requests that
 * wait for it where that is more, × (requests in flight + 1 + `failureWeight` × its recent failure rate on the route).
 * @throws TypeError or RangeError naming the option and the value.
 */
export function adaptive(options: AdaptiveOptions = {}): Picker {
  const { decayMs = 5_000, failureHalfLifeMs = 5_000, failureWeight = 400, random = Math.random, clock = systemClock } = options;
  checkKeys("adaptive", options, ["decayMs", "failureHalfLifeMs", "failureWeight", "random", "clock"]);
  checkNumber("adaptive: decayMs", decayMs, 1);
  checkNumber("adaptive: failureHalfLifeMs", failureHalfLifeMs, 1);
  checkNumber("adaptive: failureWeight", failureWeight, 0, Number.MAX_SAFE_INTEGER);
  checkFunction("adaptive: random", random);
  checkObject("adaptive: clock", clock);
  const learnt = new LearntStates(() => new TrackRecord());
  const routes = new RouteClasses();
  const recordOptions = { decayMs, failureHalfLifeMs, clock };
  // Of the pick that is going on: which candidates it looks at, and their failure rates.
  const looked = new Uint32Array(maxScanned);
  const rates = new Float64Array(maxScanned);

  const costOf = (upstream: Upstream, record: TrackRecord, excess: number, fastestMs: number, now: number): number => {
    const load = upstream.inFlight + 1 + failureWeight * excess;
    if (!record.latency.known) {
      // It is tried at once, with one request: a thousand callers that start together do not all go to the same unknown.
      return upstream.inFlight === 0 && excess === 0 ? 0 : unknownLatencyMs * load;
    }
    // What is not picked decays until it is as good as the fastest, and no further: it is tried again, and not by everybody.
    const latencyMs = Math.max(record.latency.read(now, decayMs), fastestMs, minLatencyMs);
    return Math.max(latencyMs, record.meanAgeMs(now)) * load;
  };

  return {
    update: (upstreams) => learnt.update(upstreams),
    pick(upstreams, request) {
      const size = upstreams.length;
      if (size < 2) return upstreams[0];
      const isScan = size <= maxScanned;
      const count = isScan ? size : draws;
      const now = clock.now();
      const route = routes.of(request);
      let fastestMs = Number.POSITIVE_INFINITY;
      let sumOfRates = 0;
      for (let at = 0; at < count; at++) {
        const index = isScan ? at : drawIndex(random, size);
        const { latency, failures } = learnt.at(upstreams, index);
        const rate = failures.of(route, now, failureHalfLifeMs);
        looked[at] = index;
        rates[at] = rate;
        sumOfRates += rate;
        if (latency.known && latency.last < fastestMs) fastestMs = latency.last;
      }
      // Half of what all have in common: bad input of the callers must not move their requests to and fro.
      const blameless = tolerated + (0.5 * sumOfRates) / count;
      let best = upstreams[looked[0] as number];
      let bestCost = Number.POSITIVE_INFINITY;
      let ties = 0;
      for (let at = 0; at < count; at++) {
        const index = looked[at] as number;
        const upstream = upstreams[index] as Upstream;
        const cost = costOf(upstream, learnt.at(upstreams, index), Math.max(0, (rates[at] as number) - blameless), fastestMs, now);
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
