import type { Upstream } from "../../core/upstream.ts";
import { blameFor, type CommonRates, tolerated } from "../learning/blame.ts";
import { outcomesOf } from "../learning/failure-rate.ts";
import type { FailureShare } from "../learning/failure-share.ts";
import { TrackRecord } from "../learning/track-record.ts";
import type { PerUpstream } from "../lists/per-upstream.ts";
import { costFactor, type ListWeights } from "../lists/weights.ts";
import { Spread } from "./adaptive-spread.ts";

/** A pick compares every candidate of a list up to this length; of a longer one it compares those in a hand. */
export const maxScanned = 32;
/** A difference between two mean latencies counts whole when it is so many standard errors above the one from which on it counts. */
const sureAfter = 1.5;
/** Latencies that differ by less than this part, or about this many milliseconds, are the same for every purpose. */
const alike = 1.06;
const alikeMs = 1;
/** Ratio of the latency to the lowest from which on an instance is avoided; up to it, its speed decides its share. */
export const maxShared = 2.3;
/** Ratio that an instance counts as while one wait is beyond chance, or while its first request waits. */
const suspectRatio = 30;
/** A mean age is unusual from so many times its deviation on, above the mean of all ages. */
const unusualAge = 1.6;
/** In milliseconds. Shorter latencies count as this long: a latency of 0 would hide the requests in flight. */
const minLatencyMs = 0.01;
/** In milliseconds: the latency of all instances while none has answered. */
const unknownLatencyMs = 100;

/** Moment and route of a pick, and what blame costs. */
export interface SurveyedPick {
  readonly route: number;
  readonly now: number;
  readonly failureHalfLifeMs: number;
  readonly failureWeight: number;
  /** How often the picker picks. */
  readonly perMs: number;
  /** The failures of all instances. */
  readonly common: FailureShare;
}

/** The figures of the candidates that one pick compares, in the order of comparison. A picker has one, since a pick is synchronous. */
export class Survey {
  count = 0;
  readonly indexes = new Uint32Array(maxScanned);
  readonly records: TrackRecord[] = Array.from({ length: maxScanned }, () => new TrackRecord());
  /** Failure rates on the route. */
  readonly rates = new Float64Array(maxScanned);
  /** Mean weight / weight. */
  readonly factors = new Float64Array(maxScanned);
  /** The part of each rate that the instance is to blame for. */
  readonly blames = new Float64Array(maxScanned);
  /** How many times the latency of the fastest an instance needs; 1 for all that cannot be told apart from it. */
  readonly slowness = new Float64Array(maxScanned);
  /** Latency by the responses so far, in milliseconds. */
  readonly plainMs = new Float64Array(maxScanned);
  /** Expected latency, which counts how long requests in flight have waited, in milliseconds. */
  readonly expectedMs = new Float64Array(maxScanned);
  /** How many times the cost of the best an instance has while nothing is in flight. */
  readonly ratios = new Float64Array(maxScanned);
  /** Requests in flight and the one to be sent, by weight. */
  readonly loads = new Float64Array(maxScanned);
  readonly costs = new Float64Array(maxScanned);
  /** The least of `ratios`, and the candidate with the least cost. */
  leastRatio = Number.NaN;
  cheapest = 0;
  /** Mean time between two picks of each candidate, in milliseconds. */
  fairMs = Number.NaN;
  readonly #spread = new Spread();
  #toldApartAt = Number.NaN;
  #lowestBound = Number.NaN;
  #referenceMs = Number.NaN;
  #referenceVariance = Number.NaN;
  readonly #common: { -readonly [Key in keyof CommonRates]: number } = {
    sum: Number.NaN,
    count: 0,
    outcomes: Number.NaN,
    byChance: Number.NaN,
  };
  #highestRate = Number.NaN;
  #highestFactor = Number.NaN;

  /** Whether the latency of one candidate at least is known. */
  get isKnown(): boolean {
    return this.#referenceMs !== Number.POSITIVE_INFINITY;
  }

  /**
   * Reads the records of the candidates, and finds the one that the others are compared with: the fastest that does not fail.
   * @param hand the indexes of the candidates; without it all are compared
   */
  read(
    upstreams: readonly Upstream[],
    records: PerUpstream<TrackRecord>,
    weights: ListWeights,
    hand: Uint32Array | undefined,
    pick: SurveyedPick,
  ): void {
    this.count = hand === undefined ? upstreams.length : hand.length;
    this.fairMs = this.count / pick.perMs;
    this.#common.sum = 0;
    this.#highestRate = 0;
    this.#highestFactor = 1;
    this.#lowestBound = Number.POSITIVE_INFINITY;
    this.#referenceMs = Number.POSITIVE_INFINITY;
    this.#referenceVariance = 0;
    this.#spread.clear();
    for (let at = 0; at < this.count; at++) {
      const index = hand === undefined ? at : (hand[at] as number);
      const record = records.at(upstreams, index);
      const rate = record.failures.of(pick.route, pick.now, pick.failureHalfLifeMs);
      const factor = costFactor(upstreams[index] as Upstream, weights);
      this.indexes[at] = index;
      this.records[at] = record;
      this.rates[at] = rate;
      this.factors[at] = factor;
      this.#common.sum += rate;
      if (rate > this.#highestRate) this.#highestRate = rate;
      if (factor > this.#highestFactor) this.#highestFactor = factor;
      this.blames[at] = 0;
      if (rate <= tolerated) this.#refer(record);
      if (record.known) this.#spread.add(record);
    }
    this.#toldApartAt = this.#spread.toldApartAt;
    if (pick.failureWeight > 0 && this.#highestRate > tolerated) this.#blame(pick);
    if (!this.isKnown) for (let at = 0; at < this.count; at++) this.#refer(this.records[at] as TrackRecord);
  }

  /** Judges one candidate by itself: how much slower it is than the reference, and what it is to blame for. */
  judge(at: number, { now }: SurveyedPick): void {
    const record = this.records[at] as TrackRecord;
    if (record.waiting > 0 && !record.isSuspect && record.meanAgeMs(now) > record.suspectMs) record.suspect(now);
    const ratio = this.#ratioOf(record);
    this.slowness[at] = record.isSuspect ? Math.max(ratio, suspectRatio) : ratio;
  }

  /** The latency that a request to the candidate is expected to have, counting `ratio` as its slowness. */
  expect(at: number, ratio: number, now: number): void {
    const record = this.records[at] as TrackRecord;
    let expected = this.isKnown ? this.#referenceMs * ratio : unknownLatencyMs;
    this.plainMs[at] = expected;
    // How long those in flight have waited already: an instance that hangs is noticed before its first request has ended.
    const age = record.waiting > 0 ? record.meanAgeMs(now) : 0;
    if (age > expected / 2) expected = Math.max(expected, latencyByAge(record, age, expected));
    // An instance without an answer yet gets no second request while the latency of another one is known.
    if (this.isKnown && !record.known && record.waiting > 0) expected = Math.max(expected, suspectRatio * this.#referenceMs);
    this.expectedMs[at] = expected;
  }

  /** Finds the cost of every candidate, and the least. */
  compare(upstreams: readonly Upstream[], failureWeight: number): void {
    const { expectedMs, blames, ratios, loads, costs, factors, indexes } = this;
    let cleanMs = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.count; at++) {
      if (blames[at] === 0 && (expectedMs[at] as number) < cleanMs) cleanMs = expectedMs[at] as number;
    }
    if (cleanMs === Number.POSITIVE_INFINITY) cleanMs = 0;
    let leastCost = Number.POSITIVE_INFINITY;
    this.leastRatio = Number.POSITIVE_INFINITY;
    this.cheapest = 0;
    for (let at = 0; at < this.count; at++) {
      const expected = expectedMs[at] as number;
      const blame = blames[at] as number;
      // When every other instance is slow, one that fails fast is no way out.
      const failedMs = blame > 0 ? Math.max(expected, cleanMs) : 0;
      const load = ((upstreams[indexes[at] as number] as Upstream).inFlight + 1) * (factors[at] as number);
      const ratio = expected + failedMs * failureWeight * blame;
      // A failure weighs as many requests as at the lightest candidate: a heavy one could fail and still look the least busy.
      const cost = expected * load + failedMs * failureWeight * blame * this.#highestFactor;
      ratios[at] = ratio;
      loads[at] = load;
      costs[at] = cost;
      if (ratio < this.leastRatio) this.leastRatio = ratio;
      if (cost >= leastCost) continue;
      leastCost = cost;
      this.cheapest = at;
    }
    for (let at = 0; at < this.count; at++) ratios[at] = (ratios[at] as number) / this.leastRatio;
  }

  /** Finds the part of each failure rate that the instance is to blame for. */
  #blame({ route, common }: SurveyedPick): void {
    const rates = this.#common;
    rates.count = this.count;
    rates.outcomes = outcomesOf(this.fairMs);
    rates.byChance = common.byChance;
    for (let at = 0; at < this.count; at++) {
      const isCertain = (this.records[at] as TrackRecord).failures.isCertain(route);
      this.blames[at] = blameFor(this.rates[at] as number, rates, isCertain);
    }
  }

  /** Compares with this one if it is the fastest so far: one that is known well, and not one that has been fast once. */
  #refer(record: TrackRecord): void {
    if (!record.known) return;
    const bound = record.meanMs + 2 * Math.sqrt(record.varianceOfMean);
    if (bound >= this.#lowestBound) return;
    this.#lowestBound = bound;
    this.#referenceMs = Math.max(record.meanMs, minLatencyMs);
    this.#referenceVariance = record.varianceOfMean;
  }

  /** How many times slower than the reference, as far as the uncertainty of both does not explain it. */
  #ratioOf(record: TrackRecord): number {
    if (!record.known || !(record.meanMs > this.#referenceMs)) return 1;
    const distance = record.meanMs - this.#referenceMs;
    const variance = record.varianceOfMean + this.#referenceVariance;
    const least = this.#toldApartAt;
    if (distance * distance <= least * least * variance) return 1;
    const sureness = Math.min(1, (distance / Math.sqrt(variance) - least) / sureAfter);
    return Math.max(1, (1 + (sureness * distance) / (this.#referenceMs + alikeMs)) / alike);
  }
}

/**
 * The latency that the mean age of the waiting requests speaks for: those of a constant latency have waited half of it on average, and
 * those of an exponential one all of it. 0 while that age is no more than usual for so few.
 */
function latencyByAge({ known, deviationMs, waiting }: TrackRecord, age: number, expectedMs: number): number {
  if (!known) return age > 2 * expectedMs ? age : 0;
  const variation = Math.min(1, deviationMs / expectedMs);
  const part = 0.5 * (1 + variation * variation);
  const usual = 0.5 * (expectedMs + (deviationMs * deviationMs) / expectedMs);
  if (age <= usual * (1 + unusualAge / Math.sqrt(waiting))) return 0;
  return age > expectedMs ? age / part : age;
}
