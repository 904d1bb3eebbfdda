import type { Clock } from "../../core/clock.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { number } from "../../core/settings/rules.ts";
import type { Upstream } from "../../core/upstream.ts";

/** Options of slow start, which is Envoy's. */
export interface SlowStartOptions {
  /** Time in which the share of an instance grows from `minRatio` to the whole, in milliseconds, 1 or more. @default 10000 */
  readonly windowMs?: number;
  /** Part of its share that an instance gets at least, 0.001 to 1. @default 0.1 */
  readonly minRatio?: number;
  /** The part is (time / window) ^ (1 / aggression), 0.001 or more: 1 is a straight line, more grows faster at first. @default 1 */
  readonly aggression?: number;
}

/** The rules of {@link SlowStartOptions}. */
export const slowStartOptions = optionTable<SlowStartOptions>()({
  windowMs: number({ default: 10_000, min: 1, unit: "ms" }),
  minRatio: number({ default: 0.1, min: 0.001, max: 1 }),
  aggression: number({ default: 1, min: 0.001 }),
});

type SlowStartSettings = Settled<typeof slowStartOptions.rules>;

/** In milliseconds. As in Envoy, a younger instance counts as this old. */
const leastAgeMs = 1_000;

/** The part of its share that an instance gets `ageMs` after its start, 0 to 1. */
export function slowStartRatio(ageMs: number, options: SlowStartOptions): number {
  return ratioAt(ageMs, slowStartOptions.settle(options));
}

function ratioAt(ageMs: number, { windowMs, minRatio, aggression }: SlowStartSettings): number {
  if (ageMs >= windowMs) return 1;
  return Math.min(1, Math.max(minRatio, (Math.max(ageMs, leastAgeMs) / windowMs) ** (1 / aggression)));
}

/** An instance in slow start. */
interface Start {
  readonly at: number;
  /** Requests that it may still be given. */
  credit: number;
  /** Picks of the service up to which the credit is counted. */
  countedTo: number;
}

/** Requests in a row that an instance may be given because it was passed over before. */
const maxCredit = 5;

/** The upstreams of a service that are in slow start, and their shares. There is no timer: it costs nothing while there are none. */
export class SlowStart {
  readonly #settings: SlowStartSettings;
  readonly #clock: Clock;
  /** In the order of their starts. */
  readonly #starts = new Map<Upstream, Start>();
  #picks = 0;
  #now = 0;

  constructor(options: SlowStartOptions, clock: Clock) {
    this.#settings = slowStartOptions.settle(options);
    this.#clock = clock;
  }

  /** The same starts, with a count of picks of its own: for a part of the instances that is picked from apart. */
  copy(): SlowStart {
    const copy = new SlowStart(this.#settings, this.#clock);
    for (const [upstream, { at }] of this.#starts) copy.#starts.set(upstream, { at, credit: 0, countedTo: 0 });
    return copy;
  }

  /** Time from the start of an instance to its full share, in milliseconds. */
  get windowMs(): number {
    return this.#settings.windowMs;
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

  /** Number of upstreams in slow start at the last {@link sweep}, with those that have begun since. */
  get size(): number {
    return this.#starts.size;
  }

  /** The part of its share that `upstream` gets, 0 to 1; 1 when it is not in slow start. */
  ratioOf(upstream: Upstream, now: number = this.#clock.now()): number {
    const start = this.#starts.get(upstream);
    return start === undefined ? 1 : ratioAt(now - start.at, this.#settings);
  }

  /** The time of the last {@link sweep}. */
  get now(): number {
    return this.#now;
  }

  /** Reads the clock and ends the slow start of instances whose window is over; `true` when there were any. */
  sweep(): boolean {
    const before = this.#starts.size;
    this.#now = this.#clock.now();
    for (const [upstream, { at }] of this.#starts) {
      if (this.#now - at < this.#settings.windowMs) break;
      this.#starts.delete(upstream);
    }
    return this.#starts.size < before;
  }

  /** Counts a request of the service. */
  count(): void {
    this.#picks++;
  }

  /**
   * Whether the picker's choice of `upstream` stands; otherwise the picker chooses again among the settled instances. An instance in
   * slow start earns `fairShare` × its ratio as credit with every request of the service, and is given a request with that chance.
   * A picker that takes turns thus sends it that part of its turns. One that prefers it because it is idle sends no more, and one that
   * avoids it is not forced.
   * @param fairShare its share of the service's requests after slow start, 0 to 1
   * @param chance a random number from 0 to below 1
   */
  admits(upstream: Upstream, fairShare: number, chance: number): boolean {
    const start = this.#starts.get(upstream);
    if (start === undefined) return true;
    start.credit = Math.min(maxCredit, start.credit + (this.#picks - start.countedTo) * fairShare * this.ratioOf(upstream, this.#now));
    start.countedTo = this.#picks;
    if (chance >= start.credit) return false;
    start.credit--;
    return true;
  }
}
