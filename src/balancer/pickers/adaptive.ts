import type { Clock, Random } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { number } from "../../core/settings/rules.ts";
import type { Upstream } from "../../core/upstream.ts";
import { RouteClasses } from "../learning/route-classes.ts";
import { AttemptOnRecord, TrackRecord, type TrackRecordOptions } from "../learning/track-record.ts";
import { drawIndex } from "../lists/draw.ts";
import { PerList } from "../lists/per-list.ts";
import { PerUpstream } from "../lists/per-upstream.ts";
import { costFactor, leastWeight, weighList, weightOf } from "../lists/weights.ts";
import type { AttemptLearner, Picker, PickerContext, PickerView } from "../picker.ts";
import { clockRule, randomRule, settlePicker, sourcesOf } from "../picker-options.ts";

/** Options of {@link adaptive}. */
export interface AdaptiveOptions {
  /** Time constant of the moving average of latency, in milliseconds, 1 or more. @default 10000 */
  readonly decayMs?: number;
  /** Time in which the failure rate of an instance halves while no attempt is sent to it, in milliseconds, 1 or more. @default 10000 */
  readonly failureHalfLifeMs?: number;
  /** Number of requests in flight that cost as much as a failure rate of 1; 0 = failures cost nothing. @default 100 */
  readonly failureWeight?: number;
  /** Source of the random numbers; a seeded one makes the sequence repeatable. @default the mesh's */
  readonly random?: Random;
  /** Clock that latency is measured with. @default the mesh's */
  readonly clock?: Clock;
}

const adaptiveOptions = optionTable<AdaptiveOptions>()({
  decayMs: number({ default: 10_000, min: 1, unit: "ms" }),
  failureHalfLifeMs: number({ default: 10_000, min: 1, unit: "ms" }),
  failureWeight: number({ default: 100, min: 0, max: Number.MAX_SAFE_INTEGER }),
  random: randomRule,
  clock: clockRule,
});

type AdaptiveSettings = Settled<typeof adaptiveOptions.rules>;

/** A pick compares every candidate of a list up to this length; of a longer one it compares `draws`, drawn at random. */
const maxScanned = 32;
const draws = 12;
/** Failure rate up to which an instance is never blamed. */
const tolerated = 0.02;
/** Part of the others' mean failure rate that is not blamed on an instance either: bad input of the callers fails on all of them. */
const commonPart = 0.5;
/** Number of outcomes that a rate is taken to be made of, for the deviation that chance alone explains. */
const sampleSize = 20;
/** In milliseconds. Shorter latencies count as this long: a latency of 0 would hide the requests in flight. */
const minLatencyMs = 0.01;
/** In milliseconds: an instance without an answer yet gets no second request while the latency of another one is known. */
const unknownLatencyMs = 1e6;

/**
 * The candidate with the least expected cost, the default picker. The cost is latency × (requests in flight + 1 +
 * `failureWeight` × failure rate): the latency is the peak EWMA of successes, or the mean age of the requests that wait for their
 * response head where that is more; the failure rate is the recent one on the route of the request. Where weights differ, requests
 * in flight count in inverse proportion to the weight.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function adaptive(options: AdaptiveOptions = {}): Picker {
  return new AdaptivePicker(settlePicker("adaptive", adaptiveOptions, options), undefined);
}

/** Figures of all candidates of a pick that the cost of each depends on. */
class Fleet {
  // NaN and not 0, so that V8 keeps the fields as doubles from the start: the first picks would change their representation.
  /** The lowest average latency, in milliseconds; infinite while none is known. */
  fastestMs = Number.NaN;
  /** The lowest latency at present of the candidates that do not fail, in milliseconds; 0 while none fails, or none is known. */
  cleanMs = Number.NaN;
}

/** For the cost of an instance by itself, which is compared with no other. */
const noFleet: Fleet = Object.assign(new Fleet(), { fastestMs: 0, cleanMs: 0 });

/** Figures of the candidates that one pick compares, in the order of comparison. A picker has one, since a pick is synchronous. */
class Survey {
  readonly indexes = new Uint32Array(maxScanned);
  readonly rates = new Float64Array(maxScanned);
  readonly factors = new Float64Array(maxScanned);
}

class AdaptivePicker implements Picker {
  readonly #settings: AdaptiveSettings;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #recordOptions: TrackRecordOptions;
  readonly #records = new PerUpstream(() => new TrackRecord());
  readonly #weights = new PerList(weighList);
  readonly #routes = new RouteClasses();
  readonly #survey = new Survey();
  readonly #fleet = new Fleet();

  constructor(settings: AdaptiveSettings, context: PickerContext | undefined) {
    const { decayMs, failureHalfLifeMs } = settings;
    const { random, clock } = sourcesOf(settings, context);
    this.#settings = settings;
    this.#random = random;
    this.#clock = clock;
    this.#recordOptions = { decayMs, failureHalfLifeMs, clock };
  }

  // The methods of Picker are own properties, so that a picker may be spread into another one.

  readonly update = (upstreams: readonly Upstream[]): void => {
    this.#records.update(upstreams);
    this.#weights.announce(upstreams);
  };

  readonly pick = (upstreams: readonly Upstream[], request: MeshRequest): Upstream | undefined => {
    const size = upstreams.length;
    if (size < 2) return upstreams[0];
    const { indexes, rates, factors } = this.#survey;
    const { failureHalfLifeMs, failureWeight } = this.#settings;
    const isScan = size <= maxScanned;
    const count = isScan ? size : draws;
    const now = this.#clock.now();
    const route = this.#routes.of(request);
    const weights = this.#weights.of(upstreams) ?? weighList(upstreams);
    let highestFactor = 1;
    let fastestMs = Number.POSITIVE_INFINITY;
    let sumOfRates = 0;
    let highestRate = 0;
    for (let at = 0; at < count; at++) {
      const index = isScan ? at : drawIndex(this.#random, size);
      const { latency, failures } = this.#records.at(upstreams, index);
      const rate = failures.of(route, now, failureHalfLifeMs);
      const factor = costFactor(upstreams[index] as Upstream, weights);
      indexes[at] = index;
      rates[at] = rate;
      factors[at] = factor;
      sumOfRates += rate;
      if (rate > highestRate) highestRate = rate;
      if (factor > highestFactor) highestFactor = factor;
      if (latency.known && latency.last < fastestMs) fastestMs = latency.last;
    }
    this.#fleet.fastestMs = fastestMs;
    this.#fleet.cleanMs = highestRate > tolerated ? this.#lowestOfClean(upstreams, count, now) : 0;
    // A failure weighs as many requests as at the lightest candidate: a heavy one could fail and still look the least busy.
    return this.#cheapest(upstreams, count, sumOfRates, failureWeight * highestFactor, now);
  };

  readonly onAttempt = (upstream: Upstream, request: MeshRequest): AttemptLearner => {
    return new AttemptOnRecord(this.#records.of(upstream), this.#routes.of(request), this.#recordOptions);
  };

  readonly explain = (upstream: Upstream): PickerView => {
    const { decayMs, failureHalfLifeMs, failureWeight } = this.#settings;
    const now = this.#clock.now();
    const record = this.#records.of(upstream);
    const failureRatio = record.failures.worst(now, failureHalfLifeMs);
    const penalty = failureWeight * Math.max(0, failureRatio - tolerated);
    const factor = 1 / Math.max(weightOf(upstream), leastWeight);
    return {
      cost: this.#costOf(upstream, record, factor, penalty, noFleet, now),
      latencyMs: record.latency.read(now, decayMs),
      failureRatio,
      waiting: record.waiting,
    };
  };

  readonly forService = (_service: string, context?: PickerContext): Picker => {
    return new AdaptivePicker(this.#settings, context);
  };

  /** The lowest latency at present of the surveyed candidates that do not fail, in milliseconds; 0 when none is known. */
  #lowestOfClean(upstreams: readonly Upstream[], count: number, now: number): number {
    const { indexes, rates } = this.#survey;
    let lowest = Number.POSITIVE_INFINITY;
    for (let at = 0; at < count; at++) {
      const record = this.#records.at(upstreams, indexes[at] as number);
      if ((rates[at] as number) > tolerated || !record.latency.known) continue;
      lowest = Math.min(lowest, Math.max(record.latency.last, record.meanAgeMs(now)));
    }
    return lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
  }

  /**
   * The surveyed candidate with the least cost, one of several at random.
   * @param failureCost number of requests in flight that cost as much as a failure rate of 1
   */
  #cheapest(upstreams: readonly Upstream[], count: number, sumOfRates: number, failureCost: number, now: number): Upstream | undefined {
    const { indexes, rates, factors } = this.#survey;
    const fleet = this.#fleet;
    let best: Upstream | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let at = 0; at < count; at++) {
      const index = indexes[at] as number;
      const upstream = upstreams[index] as Upstream;
      const penalty = failureCost * blameFor(rates[at] as number, sumOfRates, count);
      const cost = this.#costOf(upstream, this.#records.at(upstreams, index), factors[at] as number, penalty, fleet, now);
      if (cost < bestCost) {
        best = upstream;
        bestCost = cost;
        ties = 1;
      } else if (cost === bestCost && drawIndex(this.#random, ++ties) === 0) {
        best = upstream;
      }
    }
    return best ?? upstreams[indexes[0] as number];
  }

  /** @param penalty the requests that the instance's failures weigh; each costs at least the latency of those that do not fail */
  #costOf(upstream: Upstream, record: TrackRecord, factor: number, penalty: number, fleet: Fleet, now: number): number {
    const load = (upstream.inFlight + 1) * factor;
    if (!record.latency.known) {
      // Tried at once, with one request: a thousand callers that start together must not all choose the same unknown instance.
      if (upstream.inFlight === 0 && penalty === 0) return 0;
      if (upstream.inFlight > 0 || fleet.fastestMs === Number.POSITIVE_INFINITY) return unknownLatencyMs * (load + penalty);
      // An instance that has only failed so far is tried again once its failures have faded, as one that had answered before them is.
    }
    // An instance that is not picked decays towards the fastest and no further: it is tried again, the less slow first, and not by all
    // callers at once.
    const readMs = record.latency.known ? record.latency.read(now, this.#settings.decayMs, fleet.fastestMs) : fleet.fastestMs;
    const latencyMs = Math.max(readMs, record.meanAgeMs(now), minLatencyMs);
    // When every other instance is slow, one that fails fast is no way out.
    return latencyMs * load + Math.max(latencyMs, fleet.cleanMs) * penalty;
  }
}

/** The part of an instance's failure rate that is neither common to all candidates nor explained by chance. */
function blameFor(rate: number, sumOfRates: number, count: number): number {
  if (rate <= tolerated) return 0;
  const others = Math.min(1, Math.max(0, (sumOfRates - rate) / (count - 1)));
  return Math.max(0, rate - tolerated - commonPart * others - Math.sqrt((others * (1 - others)) / sampleSize));
}
