import { isDeepStrictEqual } from "node:util";
import type { Clock, Random } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { fenced } from "../../core/observing/fence.ts";
import type { Discovery, DiscoveryAnswer, EmptyPolicy, UsePace } from "../discovery.ts";
import type { Notifier } from "../notifier.ts";
import { keepIfSame } from "../same-endpoints.ts";
import { withheldSocketPath } from "../validate.ts";
import { Watcher } from "../watcher.ts";

/** Called with every failure of one of several combined sources, also when the others make up for it. */
export type SourceErrorListener = (error: unknown, service: string, source: Discovery) => void;

/** Options of a {@link WatchedSource}. */
export interface WatchedSourceOptions {
  readonly discovery: Discovery;
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly emptyPolicy: EmptyPolicy | undefined;
  readonly pace: UsePace | undefined;
  readonly onError: SourceErrorListener | undefined;
  /** Notified of every answer and every failure. */
  readonly changes: Notifier;
}

/**
 * One of the sources that `fallback` and `union` combine, kept by the same {@link Watcher} as every adapter of a mesh: restarted with
 * backoff and jitter, its last good set kept.
 */
export class WatchedSource {
  readonly discovery: Discovery;
  readonly #watcher: Watcher;
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #rejected: readonly Endpoint[] = [];
  #answer: Required<DiscoveryAnswer> = { endpoints: [], certain: false, leftOut: [], unconfirmed: [] };
  #answers = 0;
  #isFailing = false;
  #error: unknown = undefined;

  constructor({ discovery, service, clock, random, emptyPolicy, pace, onError, changes }: WatchedSourceOptions) {
    this.discovery = discovery;
    this.#watcher = new Watcher({
      discovery,
      service,
      clock,
      random,
      emptyPolicy,
      pace,
      onUpdate: ({ endpoints, rejected, leftOut, quarantined }) => {
        this.#isFailing = false;
        this.#keep(
          endpoints,
          rejected.map(({ entry }) => withheld(entry, discovery)),
          leftOut,
        );
        if (!quarantined) this.#answers++;
        changes.notify();
      },
      onError: (error) => {
        this.#isFailing = true;
        this.#error = error;
        changes.notify();
        tellError(onError, error, service, discovery);
      },
    });
    this.#watcher.start();
  }

  /** The last good set; `undefined` before the first answer. */
  get endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  /** Entries of the last answer that are no valid endpoints. They are yielded too, so that the mesh's own watcher reports them. */
  get rejected(): readonly Endpoint[] {
    return this.#rejected;
  }

  /**
   * The answer to hand on: {@link endpoints} and {@link rejected}, the same array until one of them changes, and the same object until
   * anything does. It is certain once the source was certain of this set.
   */
  get answer(): Required<DiscoveryAnswer> {
    return this.#answer;
  }

  /** Number of accepted answers. A confirmation counts; a quarantined answer does not. */
  get answers(): number {
    return this.#answers;
  }

  /** Whether the source has failed since its last answer. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** The last error. */
  get error(): unknown {
    return this.#error;
  }

  /** Hands on a hint that the endpoints may be out of date. */
  refresh(): void {
    this.#watcher.refresh();
  }

  /** Resolves when the adapter has stopped. */
  stop(): Promise<void> {
    return this.#watcher.stop();
  }

  #keep(endpoints: readonly Endpoint[], rejected: readonly Endpoint[], leftOut: readonly LeftOut[] = []): void {
    const { certain } = this.#watcher;
    const kept = keepIfSame(this.#endpoints, endpoints);
    const before = this.#answer;
    const next = { leftOut, unconfirmed: this.#watcher.unconfirmed.map(({ id }) => id) };
    if (kept !== this.#endpoints || !isDeepStrictEqual(rejected, this.#rejected)) {
      this.#endpoints = kept;
      this.#rejected = rejected;
      this.#answer = { endpoints: [...kept, ...rejected], certain, ...next };
    } else if (!isDeepStrictEqual(next, { leftOut: before.leftOut, unconfirmed: before.unconfirmed })) {
      this.#answer = { endpoints: before.endpoints, certain, ...next };
    } else if (certain && !before.certain) this.#answer = { ...before, certain };
  }
}

/** A rejected entry, to be rejected again: another one of the sources may be one that names Unix sockets. */
function withheld(entry: unknown, { allowSocketPaths }: Discovery): Endpoint {
  if (allowSocketPaths === true || (entry as Partial<Endpoint> | null)?.socketPath === undefined) return entry as Endpoint;
  return { ...(entry as Endpoint), socketPath: withheldSocketPath };
}

/** Tells `onError`, an error of which would end the loop of a watcher, and with it discovery. */
export function tellError(onError: SourceErrorListener | undefined, error: unknown, service: string, discovery: Discovery): void {
  fenced("onError of a combined discovery", () => onError?.(error, service, discovery));
}
