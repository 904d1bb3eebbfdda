import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { LeftOut } from "../core/left-out.ts";
import { isCliff } from "./cliff.ts";
import type { EmptyPolicy } from "./discovery.ts";

const confirmations = 3;
const confirmWindowMs = 30_000;
/** Answers closer together than this count once: they show the same state of the registry. */
const minGapMs = 5_000;

/** The facts of an answer that a {@link Quarantine} judges by. */
export interface JudgedAnswer {
  readonly endpoints: readonly Endpoint[];
  /** The source knows that what it does not list at all has left. */
  readonly certain: boolean;
  /** Entries that it lists and that are no endpoints. */
  readonly leftOut: readonly LeftOut[];
}

/** The endpoints to use after an answer. */
export interface Judgement {
  readonly endpoints: readonly Endpoint[];
  /** Those of them that the answer left out, which stay until that is confirmed. */
  readonly unconfirmed: readonly Endpoint[];
}

/**
 * Decides whether to follow an answer that is empty, or lists less than half of the endpoints in use (a cliff). A registry that was
 * restarted without its data, or with a part of it, answers exactly like one whose instances are gone. What such an answer leaves out
 * is kept beside what it lists, until {@link confirmations} answers over {@link confirmWindowMs} agree that most of it is gone. An instance
 * that the answer lists as withdrawn is not missing: the registry has its data, which say that it has left.
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

  /** Judges an answer against the set in use. */
  judge(inUse: readonly Endpoint[], answer: JudgedAnswer): Judgement {
    const { endpoints: next } = answer;
    const missing = this.#policy === "trust" ? [] : this.#missing(inUse, answer);
    if (missing.length === 0 || this.#isConfirmed(inUse.length)) {
      this.#since = undefined;
      return { endpoints: next, unconfirmed: [] };
    }
    return { endpoints: next.length === 0 ? missing : [...next, ...missing], unconfirmed: missing };
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

  /** The endpoints in use that the answer leaves out, if that may be a mistake; none otherwise. */
  #missing(inUse: readonly Endpoint[], { endpoints: next, certain, leftOut }: JudgedAnswer): readonly Endpoint[] {
    const isHeld = this.#since !== undefined;
    // Nearly every answer: nothing has to be looked up.
    if (!isHeld && next.length > 0 && next.length >= inUse.length / 2) return [];
    const hasLeft = departures(certain, leftOut);
    if (hasLeft === undefined) return [];
    const listed = new Set(next.map(({ id }) => id));
    const absent = inUse.filter(({ id }) => !listed.has(id));
    const missing = absent.filter(({ id }) => !hasLeft(id));
    const gone = absent.length - missing.length;
    // After a cliff the registry is not followed before it lists as many as before: instances return one by one.
    if (isHeld) this.#before -= gone;
    if (isHeld) return next.length >= this.#before ? [] : missing;
    return isCliff(inUse.length, next.length + gone, missing.length) ? missing : [];
  }
}

/** Tells which of the instances that an answer does not list as endpoints have left for sure; `undefined`: all of them. */
function departures(certain: boolean, leftOut: readonly LeftOut[]): ((id: string) => boolean) | undefined {
  const ids = (isWithdrawn: boolean) =>
    new Set(leftOut.flatMap(({ id, withdrawn = false }) => (id !== undefined && withdrawn === isWithdrawn ? [id] : [])));
  if (!certain) {
    const withdrawn = ids(true);
    return (id) => withdrawn.has(id);
  }
  const concluded = ids(false);
  return concluded.size === 0 ? undefined : (id) => !concluded.has(id);
}
