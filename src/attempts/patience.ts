import type { WaitJudge } from "../core/outcome.ts";

/** The limits of a service that its operator has chosen; `false` = no limit. */
export interface PatienceLimits {
  readonly attemptTimeoutMs: number | false;
  readonly timeoutMs: number | false;
  readonly bodyIdleTimeoutMs: number | false;
}

/** Stands in for the limit of a service without any. */
const unlimitedMs = 10_000;
/** The share of a limit that counts as the whole: a call has used some of its time before its attempt begins. */
const nearlyWhole = 0.9;
/** The least share of a limit that can be enough. */
const leastShare = 0.25;
/** How many times as long as the slowest answer is enough. */
const timesSlowest = 2;
/** Answers are remembered for one to two of these, in milliseconds. */
const windowMs = 30_000;

/**
 * The patience with the instances of one service: how long one is waited for before its silence is its failure. That is the time which the
 * options of the service allow, or a quarter of it where that is twice the time of the slowest answer of late. A limit of one call, or the time
 * that the caller of this process still waits, may be shorter than an instance needs, and says nothing of it then.
 */
export class Patience implements WaitJudge {
  #headMs = 0;
  #bodyMs = 0;
  #windowEndsAt = Number.NEGATIVE_INFINITY;
  #slowestMs = 0;
  #slowestBeforeMs = 0;

  constructor(limits: PatienceLimits) {
    this.adjust(limits);
  }

  /** Takes other limits; the answers that are remembered stay. */
  adjust({ attemptTimeoutMs, timeoutMs, bodyIdleTimeoutMs }: PatienceLimits): void {
    const limits = [attemptTimeoutMs, timeoutMs].filter((limit) => limit !== false);
    this.#headMs = limits.length === 0 ? unlimitedMs : Math.min(...limits);
    this.#bodyMs = bodyIdleTimeoutMs === false ? this.#headMs : Math.min(this.#headMs, bodyIdleTimeoutMs);
  }

  /** An instance has answered within `ms`, at the time `now`. */
  learn(ms: number, now: number): void {
    if (now >= this.#windowEndsAt) {
      // After two windows without an answer, none is remembered.
      this.#slowestBeforeMs = now >= this.#windowEndsAt + windowMs ? 0 : this.#slowestMs;
      this.#slowestMs = 0;
      this.#windowEndsAt = now + windowMs;
    }
    if (ms > this.#slowestMs) this.#slowestMs = ms;
  }

  isEnough(waitedMs: number, inBody: boolean): boolean {
    const limitMs = inBody ? this.#bodyMs : this.#headMs;
    if (waitedMs >= nearlyWhole * limitMs) return true;
    // Before the first answer nothing is known of what an instance needs.
    if (this.#windowEndsAt === Number.NEGATIVE_INFINITY) return false;
    return waitedMs >= leastShare * limitMs && waitedMs >= timesSlowest * Math.max(this.#slowestMs, this.#slowestBeforeMs);
  }
}
