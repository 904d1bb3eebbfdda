import type { Endpoint } from "../core/endpoint.ts";

/**
 * Where endpoints come from. An adapter is one async generator; it never retries, backs off or caches by itself: the
 * watcher does that once for all adapters.
 */
export interface Discovery {
  /** What it is and where it looks, for error messages: `consul at http://127.0.0.1:8500`. */
  readonly name?: string;
  /**
   * Yields the complete set of `service`'s endpoints: first the current one as soon as it is known (an empty set when
   * the service is unknown), then again after every change. Order means nothing. The same set again says that the source has
   * confirmed it: an adapter that polls yields after every answer, which keeps the age of the data honest.
   *
   * It stops and releases everything when `signal` aborts. It may throw at any time: the watcher keeps the last good set
   * and starts it again after a pause. It may return: the watcher asks again a while later, so that a single
   * `yield` of what a lookup gave is polling.
   */
  watch(service: string, signal: AbortSignal): AsyncIterable<readonly Endpoint[]>;
  /** The catalogue: every service name there is, where the registry has one. Used for messages and tools only. */
  services?(signal: AbortSignal): Promise<readonly string[]>;
  /**
   * What an empty set after a filled one means, or one with less than half of it. `trust`: take it at its word, the source is certain of
   * it (a list in code). `quarantine` (the default): keep what it leaves out until more answers confirm it, since a registry that has lost
   * its data answers the same. Single answers can be marked as certain with `authoritative(endpoints)`.
   */
  readonly emptyPolicy?: EmptyPolicy;
  /** Releases what outlives single watches. Called when the mesh that uses it is closed. */
  close?(): Promise<void> | void;
}

/** See {@link Discovery.emptyPolicy}. */
export type EmptyPolicy = "quarantine" | "trust";
