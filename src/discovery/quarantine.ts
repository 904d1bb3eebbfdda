import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { EmptyPolicy } from "./discovery.ts";

const confirmations = 3;
const confirmWindowMs = 30_000;
/** Answers closer together than this count once: they show the same state of the registry. */
const minGapMs = 5_000;
/** An answer that lists less than half is a cliff from this number of missing instances on: of three, two may well leave at once. */
const minMissing = 3;

/** The endpoints to use after an answer. */
export interface Judgement {
  readonly endpoints: readonly Endpoint[];
  /** Those of them that the answer left out, which stay until that is confirmed. */
  readonly unconfirmed: readonly Endpoint[];
}

/**
 * Decides whether to follow an answer that is empty, or lists less than half of the endpoints in use (a cliff). A registry that was
 * restarted without its data, or with a part of it, answers exactly like one whose instances are gone. What such an answer leaves out
 * stays in use beside what it lists, until {@link confirmations} answers over {@link confirmWindowMs} agree that most of it is gone.
 */
export class Quarantine {
  readonly #policy: EmptyPolicy;
  readonly #clock: Clock;
  /** When the quarantine began; `undefined` when there is none. */
  #since: number | undefined = undefined;
  /** Number of endpoints in use when it began. */
  #before = 0;
  #lastCounted = 0;
  #count = 0;

  constructor(policy: EmptyPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Judges the answer `next` against the set in use. An answer that is certain is followed at once. */
  judge(inUse: readonly Endpoint[], next: readonly Endpoint[], isCertain: boolean): Judgement {
    const missing = this.#policy === "trust" || isCertain ? [] : this.#missing(inUse, next);
    if (missing.length === 0 || this.#isConfirmed(inUse.length)) {
      this.#since = undefined;
      return { endpoints: next, unconfirmed: [] };
    }
    return { endpoints: next.length === 0 ? inUse : [...next, ...missing], unconfirmed: missing };
  }

  /** Time until the next answer is needed, in milliseconds; `undefined` when nothing is in quarantine. */
  get recheckMs(): number | undefined {
    return this.#since === undefined ? undefined : confirmWindowMs / confirmations;
  }

  /** Counts one more answer that leaves endpoints out. */
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

  /** The endpoints in use that `next` leaves out, if that may be a mistake; none otherwise. */
  #missing(inUse: readonly Endpoint[], next: readonly Endpoint[]): readonly Endpoint[] {
    if (next.length === 0) return inUse;
    const isHeld = this.#since !== undefined;
    // After a cliff the registry is not followed before it lists as many as before: instances return one by one.
    if (next.length >= (isHeld ? this.#before : inUse.length / 2)) return [];
    const listed = new Set(next.map(({ id }) => id));
    const missing = inUse.filter(({ id }) => !listed.has(id));
    return isHeld || missing.length >= minMissing ? missing : [];
  }
}
