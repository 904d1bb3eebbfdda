import type { Clock } from "../../core/clock.ts";
import { noIndex } from "./blocking-index.ts";

/** After this time in doubt the watcher has confirmed what the registry lists. */
const doubtEndsMs = 60_000;

/** An answer about one service. */
export interface LineageAnswer {
  readonly index: bigint;
  /** Number of entries, whatever their health. */
  readonly count: number;
  /** Whether the server knew that it was up to date, and hid nothing. */
  readonly isInformed: boolean;
  /** Number of failed questions of the adapter so far. */
  readonly failures: number;
}

/**
 * The answers about one service, as long as they are of one catalogue. A catalogue that has lost its data can have any index when it is seen
 * again, a higher one too: other services register at it. So an answer proves that an instance has left only where the answers before it
 * led up to it: without a failed question in between, and without an index that went backwards. After such a break nothing is proven until as
 * many instances are listed as before, or a minute has passed.
 */
export class Lineage {
  readonly #clock: Clock;
  /** The highest index of all answers since the last break. */
  #highest = noIndex;
  /** The index of the last answer that was informed, or listed as many as the one before it. */
  #base = noIndex;
  #count = 0;
  #failures = 0;
  #brokenAt: number | undefined = undefined;
  #countBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any instance was ever listed. */
  get hasListed(): boolean {
    return this.#count > 0 || this.#countBefore > 0;
  }

  /** Takes an answer; `true` when what it leaves out has left for certain. */
  isCertain({ index, count, isInformed, failures }: LineageAnswer): boolean {
    if (this.hasListed && (failures !== this.#failures || index < this.#highest)) this.#break();
    this.#failures = failures;
    this.#heal(count);
    const isCertain = this.#brokenAt === undefined && isInformed && this.#base !== noIndex && index > this.#base;
    if (index > this.#highest) this.#highest = index;
    if (count > 0 && (isInformed || count >= this.#count)) this.#base = index;
    this.#count = count;
    return isCertain;
  }

  #break(): void {
    this.#countBefore = Math.max(this.#count, this.#countBefore);
    this.#brokenAt = this.#clock.now();
    this.#highest = noIndex;
    this.#base = noIndex;
  }

  #heal(count: number): void {
    if (this.#brokenAt === undefined) return;
    if (count < this.#countBefore && this.#clock.now() - this.#brokenAt < doubtEndsMs) return;
    this.#brokenAt = undefined;
    this.#countBefore = 0;
    this.#base = noIndex;
  }
}
