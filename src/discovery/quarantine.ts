import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { EmptyPolicy } from "./discovery.ts";

const confirmations = 3;
const confirmWindowMs = 30_000;
/** Answers closer together than this are one answer: they come from the same state of the registry. */
const minGapMs = 5_000;
/** An answer that leaves out more than half is a cliff from so many missing instances on: of three, two may well leave in one go. */
const minMissing = 3;

/** What is used of an answer. */
export interface Judgement {
  readonly endpoints: readonly Endpoint[];
  /** Those among them that the answer left out; they stay until that is confirmed. */
  readonly unconfirmed: readonly Endpoint[];
}

/**
 * Decides whether an answer is believed that is empty, or lists less than half of what is in use (a cliff). A registry that was restarted
 * without its data, or with a part of it, answers exactly like one whose instances are gone. So what such an answer leaves out stays in
 * use beside what it lists, until {@link confirmations} answers over {@link confirmWindowMs} agree that most of it is gone.
 */
export class Quarantine {
  readonly #policy: EmptyPolicy;
  readonly #clock: Clock;
  #since: number | undefined = undefined;
  /** How many were in use when it began. */
  #before = 0;
  #lastCounted = 0;
  #count = 0;

  constructor(policy: EmptyPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Judges the answer `next` against the set in use. `isCertain`: the source says that it knows. */
  judge(inUse: readonly Endpoint[], next: readonly Endpoint[], isCertain: boolean): Judgement {
    const missing = this.#policy === "trust" || isCertain ? [] : this.#missing(inUse, next);
    if (missing.length === 0 || this.#isConfirmed(inUse.length)) {
      this.#since = undefined;
      return { endpoints: next, unconfirmed: [] };
    }
    return { endpoints: next.length === 0 ? inUse : [...next, ...missing], unconfirmed: missing };
  }

  /** When the next answer is wanted, in milliseconds; `undefined` when nothing is in quarantine. */
  get recheckMs(): number | undefined {
    return this.#since === undefined ? undefined : confirmWindowMs / confirmations;
  }

  /** Counts one more answer of that kind. */
  #isConfirmed(inUseCount: number): boolean {
    const now = this.#clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      this.#before = inUseCount;
      this.#lastCounted = now;
      this.#count = 1;
    } else if (now - this.#lastCounted >= minGapMs) {
      this.#lastCounted = now;
      this.#count++;
    }
    return this.#count >= confirmations && now - this.#since >= confirmWindowMs;
  }

  /** The endpoints in use that `next` has no longer, where that may be a mistake; else none. */
  #missing(inUse: readonly Endpoint[], next: readonly Endpoint[]): readonly Endpoint[] {
    if (next.length === 0) return inUse;
    const isHeld = this.#since !== undefined;
    // Once it has lost most of them a registry is not believed before it has as many again: they come back one by one.
    if (next.length >= (isHeld ? this.#before : inUse.length / 2)) return [];
    const listed = new Set(next.map(({ id }) => id));
    const missing = inUse.filter(({ id }) => !listed.has(id));
    return isHeld || missing.length >= minMissing ? missing : [];
  }
}
