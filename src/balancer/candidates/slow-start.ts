import type { Clock } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";

/** Options of slow start. */
export interface SlowStartOptions {
  /** How long an instance takes from `minRatio` to its full share, in milliseconds. @default 10000 */
  readonly windowMs?: number;
  /** The least part of its share that an instance gets, above 0 up to 1. @default 0.1 */
  readonly minRatio?: number;
  /** The part is (time / window) ^ (1 / aggression): 1 is a straight line, more gives more at first. @default 1 */
  readonly aggression?: number;
}

/** The part of its share that an instance gets `ageMs` after its start. As in Envoy, nothing is younger than one second. */
export function warmthAt(ageMs: number, { windowMs = 10_000, minRatio = 0.1, aggression = 1 }: SlowStartOptions): number {
  if (ageMs >= windowMs) return 1;
  return Math.min(1, Math.max(minRatio, (Math.max(ageMs, 1_000) / windowMs) ** (1 / aggression)));
}

interface Start {
  readonly at: number;
  /** How many requests it may have beyond those it has got. */
  credit: number;
  /** Picks of the service up to which the credit is counted. */
  countedTo: number;
}

/** Requests that an instance may be given in a row, because it was passed over before. */
const maxCredit = 5;

/** Which upstreams of a service are warming up, and since when. Costs nothing while none is: there is no timer. */
export class SlowStart {
  readonly #options: SlowStartOptions;
  readonly #clock: Clock;
  /** In the order of their starts: the first one is warm first. */
  readonly #starts = new Map<Upstream, Start>();
  #picks = 0;
  #now = 0;

  constructor(options: SlowStartOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  begin(upstream: Upstream): void {
    this.#starts.delete(upstream);
    this.#starts.set(upstream, { at: this.#clock.now(), credit: 0, countedTo: this.#picks });
  }

  forget(upstream: Upstream): void {
    this.#starts.delete(upstream);
  }

  has(upstream: Upstream): boolean {
    return this.#starts.has(upstream);
  }

  /** How many are warming up, or were when {@link sweep} was last called. */
  get size(): number {
    return this.#starts.size;
  }

  /** The part of its share that `upstream` gets now, 0 to 1. */
  warmth(upstream: Upstream, now: number = this.#clock.now()): number {
    const start = this.#starts.get(upstream);
    return start === undefined ? 1 : warmthAt(now - start.at, this.#options);
  }

  /** The time of the last {@link sweep}. */
  get now(): number {
    return this.#now;
  }

  /** How long it takes to become warm, in milliseconds. */
  get windowMs(): number {
    return this.#options.windowMs ?? 10_000;
  }

  /** Reads the clock and forgets who is warm by now; `true` when there was somebody. */
  sweep(): boolean {
    const before = this.#starts.size;
    this.#now = this.#clock.now();
    for (const [upstream, { at }] of this.#starts) {
      if (this.#now - at < this.windowMs) break;
      this.#starts.delete(upstream);
    }
    return this.#starts.size < before;
  }

  /** A request of the service is given to somebody. */
  count(): void {
    this.#picks++;
  }

  /**
   * Whether the picker's choice of `upstream`, which warms up, stands. `fairShare`: what a warm one would get of the service's
   * requests.
   *
   * It earns the fair share × its warmth with every request of the service, and is given one with the chance that this makes. A picker
   * that takes turns thus sends it that part of its turns; one that prefers it because it is idle sends no more; one that
   * avoids it is not forced.
   */
  admits(upstream: Upstream, fairShare: number, chance: number): boolean {
    const start = this.#starts.get(upstream);
    if (start === undefined) return true;
    start.credit = Math.min(maxCredit, start.credit + (this.#picks - start.countedTo) * fairShare * this.warmth(upstream, this.#now));
    start.countedTo = this.#picks;
    if (chance >= start.credit) return false;
    start.credit--;
    return true;
  }
}
