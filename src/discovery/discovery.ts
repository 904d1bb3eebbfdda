import type { Endpoint } from "../core/endpoint.ts";
import type { LeftOut } from "../core/left-out.ts";

/**
 * A source of endpoints: a registry, a file, DNS. An adapter is one async generator. It never retries, backs off or caches; the watcher
 * does that for all adapters.
 */
export interface Discovery {
  /** The kind of source and its address, for error messages: `consul at http://127.0.0.1:8500`. */
  readonly name?: string;
  /**
   * Yields the complete set of endpoints of `service`: the current one as soon as it is known (an empty set when the service is unknown),
   * then again after every change. The order has no meaning. Yielding the same array again confirms it: an adapter that polls yields after
   * every answer, which keeps the age of the data honest. An array that was yielded must not be changed.
   *
   * A bare array stands for `{ endpoints, certain: false }`.
   *
   * The generator stops and releases everything when `signal` aborts. It may throw at any time: the watcher keeps the last good set and
   * starts it again after a pause. It may return: the watcher asks again some seconds later, so that yielding the result of one lookup is
   * polling.
   *
   * `pace` is there for a source that {@link Discovery.combines} others, and is handed to the watches of these: with it, sources are asked as
   * their endpoints are used.
   */
  watch(service: string, signal: AbortSignal, pace?: UsePace): AsyncIterable<readonly Endpoint[] | DiscoveryAnswer>;
  /**
   * A hint that the endpoints of `service` may be out of date: calls find instances that cannot be reached. A running watch of it should ask
   * its source again soon, and yield the answer as any other; without one there is nothing to do. The watcher calls it rarely, however many
   * calls fail. It must not wait: what goes wrong is thrown by the watch.
   */
  refresh?(service: string): void;
  /** The catalogue: the names of all services, where the registry has one. Used for messages and tools only. */
  services?(signal: AbortSignal): Promise<readonly string[]>;
  /**
   * How answers are taken that are empty, or list less than half of the endpoints in use. `trust`: every answer is meant as it is.
   * `quarantine` (the default): what such an answer leaves out is kept until more answers confirm it, since a registry that has lost its
   * data gives the same answer; as a last resort where the answer lists any endpoint. A single answer that is `certain` is never quarantined.
   */
  readonly emptyPolicy?: EmptyPolicy;
  /**
   * `true`: entries may have a `socketPath`, the path of a Unix socket of this machine. Only for sources that nothing outside of this machine
   * writes to: an entry can name any socket, such as that of a container engine. Without it such entries are rejected.
   */
  readonly allowSocketPaths?: boolean;
  /**
   * `true`: its watch watches other sources, and hands its `pace` on to them. With `watch: "on-use"` such a watch stays open between calls, so that
   * what it knows of each source is kept; that of another source is begun anew for each question, and ended by its first answer.
   */
  readonly combines?: boolean;
  /** Releases what outlives single watches. Called when the mesh that uses it is closed. */
  close?(): Promise<void> | void;
}

/** One answer of a source. */
export interface DiscoveryAnswer {
  /** The complete set. */
  readonly endpoints: readonly Endpoint[];
  /**
   * `true` when the source itself shows that it knows: a registry with a leader, an index that has moved on and a caller with the rights
   * to see everything; the SRV target `.` of RFC 2782. The answer is used at once, however little it lists.
   */
  readonly certain: boolean;
  /**
   * Entries that the source lists and that are no endpoints at present, with the reason for each: `mesh.explain` and errors show them.
   * Those that are `withdrawn` need no confirmation. Absent means none.
   */
  readonly leftOut?: readonly LeftOut[];
  /**
   * Ids of endpoints that are listed although the source's own source has just left them out, which has to be confirmed. They are a last
   * resort. For a source around others that holds their answers itself, as `union` does. Absent means none.
   */
  readonly unconfirmed?: readonly string[];
}

/** The uses of endpoints, by which sources are asked in place of time. */
export interface UsePace {
  /** Age of an answer from which on a use asks again, in milliseconds. */
  readonly refreshAfterMs: number;
  /** Whether calls wait for a first answer: a source that fails is asked again by time. */
  readonly isAwaited: boolean;
  /** Whether a question to a source is open. */
  readonly isAsking: boolean;
  /** A question has been asked, which is open until `over` resolves. It never rejects. */
  asks(over: Promise<void>): void;
  /** Calls `listener` at each use. Returns a function that ends that. */
  onUse(listener: () => void): () => void;
}

/** See {@link Discovery.emptyPolicy}. */
export type EmptyPolicy = "quarantine" | "trust";

/** The name of an adapter in messages. */
export function nameOf(discovery: Pick<Discovery, "name">): string {
  return discovery.name ?? "unnamed discovery";
}
