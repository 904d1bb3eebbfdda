import type { Clock, Random } from "../../core/clock.ts";
import { Notifier } from "../../discovery/notifier.ts";
import { pauseUnlessNotified } from "../../discovery/pause.ts";

/** Options of a {@link RegistryCopy}. */
export interface RegistryCopyOptions<T> {
  /** Fetches a copy. `awaited` is `false` when the copy is only to be refreshed, which must not keep the process alive. */
  readonly fetch: (call: { readonly signal: AbortSignal; readonly awaited: boolean }) => Promise<T>;
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Time of the first fetch for those that only want news; absent: at once. */
  readonly dueAt?: number;
}

/** A fetch under way, and the number of watches that wait for it. */
interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * How long a copy also answers for services that it does not list, and the pause after a failure. Many watches that start together cost a
 * registry one call a second.
 */
const minGapMs = 1_000;

/**
 * The copy of the registry that all watches share. At most one fetch is under way, only while a watch waits for it; it is cancelled with the
 * last of them. Nothing runs while nothing is watched.
 */
export class RegistryCopy<T extends object> {
  readonly #options: RegistryCopyOptions<T>;
  #copy: T | undefined = undefined;
  #fetchedAt = 0;
  /** Time of the next fetch: before it the copy is fresh, or the registry has just failed. */
  #dueAt: number;
  #isFailing = false;
  #flight: Flight<T> | undefined = undefined;
  readonly #early = new Notifier();

  constructor(options: RegistryCopyOptions<T>) {
    this.#options = options;
    this.#dueAt = options.dueAt ?? Number.NEGATIVE_INFINITY;
  }

  /** Time of the next fetch. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** The copy for a watch that begins: the present one when it is fresh and `isEnough`, or less than a second old; otherwise a new one. */
  async first(isEnough: (copy: T) => boolean | Promise<boolean>, signal: AbortSignal): Promise<T> {
    const copy = this.#freshCopy();
    if (copy !== undefined && (this.#options.clock.now() < this.#fetchedAt + minGapMs || (await isEnough(copy)))) return copy;
    return this.#isFailing ? await this.next(undefined, signal) : await this.#fetch(signal, true);
  }

  /** A copy newer than `known`, as soon as there is one. Rejects when the fetch fails, or with the signal's reason. */
  async next(known: T | undefined, signal: AbortSignal): Promise<T> {
    const { clock } = this.#options;
    for (;;) {
      const copy = this.#freshCopy();
      if (copy !== undefined && copy !== known) return copy;
      const waitMs = this.#dueAt - clock.now();
      if (waitMs <= 0) return await this.#fetch(signal, known === undefined);
      await pauseUnlessNotified(clock, waitMs, signal, this.#early);
      signal.throwIfAborted();
    }
  }

  /** Makes the next fetch due, unless the last one is less than a second old or has failed, and wakes the watches that wait for it. */
  refresh(): void {
    if (this.#isFailing) return;
    this.#dueAt = Math.min(this.#dueAt, Math.max(this.#options.clock.now(), this.#fetchedAt + minGapMs));
    this.#early.notify();
  }

  /** Drops the copy. */
  forget(): void {
    this.#copy = undefined;
  }

  #freshCopy(): T | undefined {
    return this.#isFailing || this.#options.clock.now() >= this.#dueAt ? undefined : this.#copy;
  }

  #fetch(signal: AbortSignal, awaited: boolean): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason);
    this.#flight ??= this.#startFlight(awaited);
    const flight = this.#flight;
    flight.waiting++;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        flight.waiting--;
        if (flight.waiting === 0) {
          if (this.#flight === flight) this.#flight = undefined;
          flight.controller.abort();
        }
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      flight.result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  #startFlight(awaited: boolean): Flight<T> {
    const controller = new AbortController();
    return { controller, waiting: 0, result: this.#fetchOnce(controller.signal, awaited) };
  }

  async #fetchOnce(signal: AbortSignal, awaited: boolean): Promise<T> {
    const { fetch, refreshMs, clock, random } = this.#options;
    try {
      const copy = await fetch({ signal, awaited });
      if (signal.aborted) return copy;
      this.#flight = undefined;
      this.#isFailing = false;
      this.#copy = copy;
      this.#fetchedAt = clock.now();
      this.#dueAt = this.#fetchedAt + refreshMs * (0.9 + 0.2 * random());
      return copy;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#flight = undefined;
      this.#isFailing = true;
      this.#dueAt = clock.now() + minGapMs * (0.5 + 0.5 * random());
      throw error;
    }
  }
}
