import type { Clock, Random } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Discovery } from "./discovery.ts";
import { Watcher } from "./watcher.ts";

/** Number of instances of a service by zone; `undefined` while no instance is known. */
export type ZoneCounts = ReadonlyMap<string | undefined, number> | undefined;

/** Options of {@link CallerZones}. */
export interface CallerZonesOptions {
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (service: string, error: unknown) => void;
}

interface Watch {
  readonly watcher: Watcher;
  readonly listeners: Set<(counts: ZoneCounts) => void>;
  counts: ZoneCounts;
}

/**
 * Counts the instances of calling services by zone. Each service is watched once, however many listeners it has, and only while it has
 * one.
 */
export class CallerZones {
  readonly #options: CallerZonesOptions;
  readonly #watches = new Map<string, Watch>();

  constructor(options: CallerZonesOptions) {
    this.#options = options;
  }

  /** Calls `listener` with the counts, at once where they are known and after each change. Returns a function that ends that. */
  follow(service: string, listener: (counts: ZoneCounts) => void): () => Promise<void> {
    const known = this.#watches.get(service);
    const watch = known ?? this.#start(service);
    watch.listeners.add(listener);
    if (watch.counts !== undefined) listener(watch.counts);
    return async () => {
      if (!watch.listeners.delete(listener) || watch.listeners.size > 0) return;
      if (this.#watches.get(service) === watch) this.#watches.delete(service);
      await watch.watcher.stop();
    };
  }

  #start(service: string): Watch {
    const { onError, ...options } = this.#options;
    const watcher = new Watcher({
      ...options,
      service,
      onUpdate: ({ endpoints }) => {
        const counts = countsOf(endpoints);
        if (areSame(counts, watch.counts)) return;
        watch.counts = counts;
        for (const listener of watch.listeners) listener(counts);
      },
      onError: (error) => onError(service, error),
    });
    const watch: Watch = { watcher, listeners: new Set(), counts: undefined };
    this.#watches.set(service, watch);
    watcher.start();
    return watch;
  }
}

function countsOf(endpoints: readonly Endpoint[]): ZoneCounts {
  if (endpoints.length === 0) return undefined;
  const counts = new Map<string | undefined, number>();
  for (const { zone } of endpoints) counts.set(zone || undefined, (counts.get(zone || undefined) ?? 0) + 1);
  return counts;
}

function areSame(one: ZoneCounts, other: ZoneCounts): boolean {
  if (one === undefined || other === undefined || one.size !== other.size) return one === other;
  for (const [zone, count] of one) if (other.get(zone) !== count) return false;
  return true;
}
