import { faded, negligible, stepAfter } from "./failure-rate.ts";
import { maxRouteClasses } from "./route-classes.ts";
import { safePause, slowFailurePause, unsafePause } from "./try-pauses.ts";

/** The most that one success after failures takes from the rate: three of them in a row show that a failed instance is well. */
const mostForgiven = 0.7;
/**
 * Failures in a row are none by chance when fewer such rows than this are expected in so many milliseconds, at whatever instance: the rate is at
 * least `sureRate`, however many good answers came before.
 */
const byChance = 0.5;
const rowsMs = 10_000;
const sureRate = 0.5;
/** A failure that took longer than this, in milliseconds, cost its caller time as well. */
const longMs = 100;
/** Time in which relapses are forgotten, in milliseconds. */
const relapseMs = 120_000;
/** An instance that fails again within this time has not been well in between, in milliseconds. */
const sameFaultMs = 1_500;

/** The failures of one route class. */
class RouteFailures {
  rate = 0;
  /** The highest rate since it was 0: success is as strong an evidence against failures as these were sure. */
  highest = 0;
  /** Time of the last outcome. */
  at: number;
  /** Start of the attempt that failed last, and the time at which it failed. */
  failedSince = Number.NaN;
  failedAt = Number.NaN;
  /** Time at which the failures began. */
  readonly beganAt: number;
  /** Failures in a row. */
  streak = 0;
  /** So many in a row that chance does not explain them. */
  isSure = false;
  /** The rate of single failures everywhere, at the last failure. */
  commonRate = 0;
  /** The last failure was one that a call with a safe method is repeated after. */
  isRepeated = true;
  /** The last failure took long. */
  tookLong = false;
  /** The instance was blamed for them when it was looked at last. */
  isBlamed = false;

  constructor(lastAt: number, now: number) {
    this.at = lastAt;
    this.beganAt = now;
  }
}

/** One failed attempt. */
export interface FailedAttempt {
  /** 1, or less where the caller may be to blame. */
  readonly badness: number;
  readonly startedAt: number;
  /** A call with a safe method is repeated after such a failure. */
  readonly isRepeated: boolean;
  /** The part of all attempts that have failed of late after a success of the same instance: what chance explains. */
  readonly commonRate: number;
  /** The most that one failure may move the rate: where failures come by chance, one after a silence says no more than any other. */
  readonly mostStep: number;
  /** How often the picker picks. */
  readonly picksPerMs: number;
}

/**
 * The recent failure rate of one instance per route class, from 0 to 1. A rate and not a count, so that latency still decides where
 * every instance fails a little. A rate halves in every `halfLifeMs` without an outcome.
 */
export class FailureMemory {
  /** A bit per route class that has had an outcome. */
  #seen = 0;
  /** Absent while all rates are 0, which is nearly always: ten thousand instances then cost none. */
  #routes: (RouteFailures | undefined)[] | undefined;
  #lastAt = Number.NEGATIVE_INFINITY;
  /** How often the instance was blamed anew lately. */
  #blames = 0;
  #blamedAt = Number.NEGATIVE_INFINITY;
  /** Time of the last failure on any route. */
  lastFailedAt = Number.NEGATIVE_INFINITY;
  #clearedAt = Number.NEGATIVE_INFINITY;

  /** Whether all rates are 0. */
  get isClean(): boolean {
    return this.#routes === undefined;
  }

  /** Whether the instance was blamed for its failures on any route when it was looked at last. */
  get isBlamed(): boolean {
    return this.#routes?.some((failures) => failures?.isBlamed) === true;
  }

  /**
   * Takes the success of an attempt that began at `startedAt`.
   * @returns whether it followed a failure
   */
  succeed(route: number, startedAt: number, now: number, halfLifeMs: number): boolean {
    this.#seen |= 1 << route;
    this.#lastAt = now;
    const failures = this.#routes?.[route];
    // The success of an attempt that began before the last failure does not show that the instance has recovered.
    if (failures === undefined || startedAt < failures.failedSince) return false;
    const hasFailed = failures.streak > 0;
    const step = Math.max(stepAfter(now - failures.at), Math.min(mostForgiven, failures.highest));
    failures.rate = rateOf(failures, now, halfLifeMs) * (1 - step);
    failures.streak = 0;
    failures.at = now;
    if (failures.rate < negligible) this.#drop(failures, route, now);
    return hasFailed;
  }

  /**
   * Takes a failure.
   * @returns whether it followed a failure, as everything does that an instance has not succeeded before
   */
  fail(route: number, attempt: FailedAttempt, now: number, halfLifeMs: number): boolean {
    const { badness, startedAt, isRepeated, commonRate } = attempt;
    this.#seen |= 1 << route;
    const hasSucceeded = this.#lastAt > Number.NEGATIVE_INFINITY;
    this.#routes ??= new Array(maxRouteClasses).fill(undefined);
    const failures = this.#routes[route] ?? new RouteFailures(this.#lastAt, now);
    this.#routes[route] = failures;
    this.#lastAt = now;
    const rate = rateOf(failures, now, halfLifeMs);
    failures.rate = rate + Math.min(attempt.mostStep, stepAfter(now - failures.at)) * (badness - rate);
    failures.at = now;
    failures.failedSince = startedAt;
    failures.failedAt = now;
    this.lastFailedAt = now;
    failures.streak++;
    const rows = commonRate ** failures.streak * Math.max(1, rowsMs * attempt.picksPerMs);
    failures.isSure = failures.streak > 1 && rows < byChance;
    if (failures.isSure) failures.rate = Math.max(failures.rate, sureRate * badness);
    failures.highest = Math.max(failures.highest, failures.rate);
    failures.tookLong = now - startedAt > longMs;
    failures.isRepeated = isRepeated;
    failures.commonRate = commonRate;
    return !hasSucceeded || failures.streak > 1;
  }

  /** The rate of a route class; for a class that the instance has not served yet, the lowest rate of the others. */
  of(route: number, now: number, halfLifeMs: number): number {
    if (this.#routes === undefined) return 0;
    if ((this.#seen & (1 << route)) !== 0) return rateOf(this.#routes[route], now, halfLifeMs);
    let lowest = 1;
    for (let other = 0; other < maxRouteClasses; other++) {
      if ((this.#seen & (1 << other)) !== 0) lowest = Math.min(lowest, rateOf(this.#routes[other], now, halfLifeMs));
    }
    return lowest;
  }

  /** The route class with the highest rate; 0 while all rates are 0. */
  worstRoute(now: number, halfLifeMs: number): number {
    let worst = 0;
    for (let route = 1; this.#routes !== undefined && route < maxRouteClasses; route++) {
      if (rateOf(this.#routes[route], now, halfLifeMs) > rateOf(this.#routes[worst], now, halfLifeMs)) worst = route;
    }
    return worst;
  }

  /** Tells whether the instance was blamed for its failures on a route when it was looked at. */
  see(route: number, isBlamed: boolean, now: number): void {
    const failures = this.#routes?.[route];
    if (failures === undefined || failures.isBlamed === isBlamed) return;
    failures.isBlamed = isBlamed;
    if (!isBlamed) this.#clearedAt = now;
    else if (!(now < this.#clearedAt + sameFaultMs)) {
      this.#blames = this.#relapsesAt(now) + 1;
      this.#blamedAt = now;
    }
  }

  /**
   * Whether the last failures on the route were so many in a row that chance does not explain them, and came at once: an instance that is
   * too busy lets requests wait, and is well again when it is not.
   */
  isCertain(route: number): boolean {
    const failures = this.#routes?.[route];
    return failures?.isSure === true && failures.streak > 0 && !failures.tookLong;
  }

  /** Whether the last answer on the route was a success: then the next one is awaited with less patience. */
  isMending(route: number): boolean {
    return this.#routes?.[route]?.streak === 0;
  }

  /**
   * The time from which a request of the route may be tried although the instance is blamed for its failures; -Infinity without any.
   * @param isSafe the method of the request allows a retry
   * @param troubleSince first sign of other trouble, such as slowness; `NaN` without any
   */
  tryAt(route: number, isSafe: boolean, picksPerMs: number, troubleSince: number): number {
    if (this.#routes === undefined) return Number.NEGATIVE_INFINITY;
    if ((this.#seen & (1 << route)) !== 0) return this.#tryRouteAt(this.#routes[route], isSafe, picksPerMs, troubleSince);
    let first = Number.POSITIVE_INFINITY;
    for (const failures of this.#routes) {
      if (failures !== undefined) first = Math.min(first, this.#tryRouteAt(failures, isSafe, picksPerMs, troubleSince));
    }
    return first;
  }

  #tryRouteAt(failures: RouteFailures | undefined, isSafe: boolean, picksPerMs: number, troubleSince: number): number {
    if (failures === undefined) return Number.NEGATIVE_INFINITY;
    const { failedAt, beganAt, highest, isSure, commonRate, isRepeated, tookLong } = failures;
    const sureness = isSure ? 1 : Math.min(1, 3 * Math.max(0, highest - 2 * commonRate));
    const trouble = { sureness, lastedMs: failedAt - beganAt, relapses: this.#blames - 1 };
    if (isSafe && isRepeated) return failedAt + safePause(trouble);
    if (tookLong) return failedAt + slowFailurePause(trouble, failedAt - (troubleSince < beganAt ? troubleSince : beganAt));
    return failedAt + unsafePause(trouble, picksPerMs);
  }

  #relapsesAt(now: number): number {
    return this.#blames === 0 ? 0 : this.#blames * Math.exp((this.#blamedAt - now) / relapseMs);
  }

  #drop(failures: RouteFailures, route: number, now: number): void {
    if (failures.isBlamed) this.#clearedAt = now;
    (this.#routes as (RouteFailures | undefined)[])[route] = undefined;
    if (this.#routes?.every((each) => each === undefined)) this.#routes = undefined;
  }
}

function rateOf(failures: RouteFailures | undefined, now: number, halfLifeMs: number): number {
  return failures === undefined ? 0 : faded(failures.rate, now - failures.at, halfLifeMs);
}
