import type { Clock } from "../core/clock.ts";
import type { EmptyPolicy } from "./discovery.ts";

const confirmations = 3;
const confirmWindowMs = 30_000;
/** Answers closer together than this are one answer: they come from the same state of the registry. */
const minGapMs = 5_000;

/**
 * Decides whether an empty answer is believed. A registry that was restarted without its data answers exactly like one
 * whose instances are all gone, so an empty set after a filled one counts only once {@link confirmations} answers over
 * {@link confirmWindowMs} agree.
 */
export class Quarantine {
  readonly #policy: EmptyPolicy;
  readonly #clock: Clock;
  #since: number | undefined = undefined;
  #lastCounted = 0;
  #count = 0;

  constructor(policy: EmptyPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Whether the set in use stays although `next` was answered. */
  holds(inUse: readonly unknown[], next: readonly unknown[]): boolean {
    if (this.#policy === "trust" || next.length > 0 || inUse.length === 0) {
      this.#since = undefined;
      return false;
    }
    const now = this.#clock.now();
    if (this.#since === undefined) {
      this.#since = now;
      this.#lastCounted = now;
      this.#count = 1;
    } else if (now - this.#lastCounted >= minGapMs) {
      this.#lastCounted = now;
      this.#count++;
    }
    if (this.#count < confirmations || now - this.#since < confirmWindowMs) return true;
    this.#since = undefined;
    return false;
  }

  /** When the next answer is wanted, in milliseconds; `undefined` when nothing is in quarantine. */
  get recheckMs(): number | undefined {
    return this.#since === undefined ? undefined : confirmWindowMs / confirmations;
  }
}
