import type { Upstream } from "../../core/upstream.ts";
import type { TrackRecord } from "../learning/track-record.ts";
import { maxScanned, maxShared, type Survey } from "./adaptive-survey.ts";

/** An instance whose speed differs by less than `maxShared` has at least this part of its fair share: else nothing new is learnt of it. */
const leastPart = 0.28;
/** A part below this is none. */
const negligible = 1e-3;
/** Most requests that an instance can be ahead of its share: what it has got in vain is not held against it for ever. */
const mostAhead = 10;
/** An instance that has answered within this time, in milliseconds, does not stand still, and goes before others by this many requests. */
const freshMs = 60;
const freshCredit = 6;
/** That says something only where answers come faster than this, in milliseconds, and requests at least so often. */
const fastMs = 30;
const oftenMs = 120;

/**
 * Spreads requests over the candidates that are as little busy as the best one, by shares that follow their speed. Each candidate is
 * owed its share of every pick that it could have got, and the one that is owed most is picked: equals are even to the request.
 */
export class Shares {
  readonly #parts = new Float64Array(maxScanned);

  /** The place in the survey of the candidate that is owed most. */
  pick(upstreams: readonly Upstream[], survey: Survey, now: number): number {
    const freshFrom = freshSince(survey, now);
    const total = this.#divide(upstreams, survey, (survey.loads[survey.cheapest] as number) * 1.0001);
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < survey.count; at++) {
      const part = this.#parts[at] as number;
      if (part === 0) continue;
      const record = survey.records[at] as TrackRecord;
      record.credit += part / total;
      const rank = rankOf(record, freshFrom);
      if (rank <= most) continue;
      most = rank;
      best = at;
    }
    if (best < 0) return survey.cheapest;
    const chosen = survey.records[best] as TrackRecord;
    chosen.credit = Math.max(-mostAhead, chosen.credit - 1);
    return best;
  }

  /** The share that one candidate is meant to have while nothing is in flight, 0 to 1. */
  meant(upstreams: readonly Upstream[], survey: Survey, at: number): number {
    const total = this.#divide(upstreams, survey, Number.POSITIVE_INFINITY);
    return (this.#parts[at] as number) / total;
  }

  /** Whether the candidate at this place was one that the last pick chose from. */
  isOwed(at: number): boolean {
    return (this.#parts[at] as number) > 0;
  }

  /** How many requests a candidate is owed; the most is picked. */
  owed(survey: Survey, at: number, now: number): number {
    return rankOf(survey.records[at] as TrackRecord, freshSince(survey, now));
  }

  /** Sets the part of each candidate that is no busier than `mostLoad`, and returns the sum. */
  #divide(upstreams: readonly Upstream[], { count, indexes, ratios, loads, factors }: Survey, mostLoad: number): number {
    const parts = this.#parts;
    let sum = 0;
    let eligible = 0;
    for (let at = 0; at < count; at++) {
      const isEligible = (loads[at] as number) <= mostLoad || (upstreams[indexes[at] as number] as Upstream).inFlight === 0;
      const inverse = isEligible ? 1 / (ratios[at] as number) : 0;
      const fourth = inverse * inverse * inverse * inverse;
      parts[at] = fourth * fourth;
      sum += parts[at] as number;
      if (isEligible) eligible++;
    }
    const least = (leastPart * sum) / Math.max(1, eligible);
    let total = 0;
    for (let at = 0; at < count; at++) {
      let part = parts[at] as number;
      if (part === 0) continue;
      if ((ratios[at] as number) <= maxShared) part = Math.max(part, least);
      else if (part < negligible) part = 0;
      parts[at] = part / (factors[at] as number);
      total += parts[at] as number;
    }
    return total;
  }
}

/** The time since which an answer is fresh; never where requests are rare. */
function freshSince({ fairMs }: Survey, now: number): number {
  return fairMs <= oftenMs ? now - freshMs : Number.POSITIVE_INFINITY;
}

function rankOf({ lastAt, meanMs, credit }: TrackRecord, freshFrom: number): number {
  return lastAt > freshFrom && meanMs < fastMs ? credit + freshCredit : credit;
}
