import { isDeepStrictEqual } from "node:util";
import type { Clock, Random } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { describeError } from "../../core/errors.ts";
import { authoritative, isAuthoritative } from "../authority.ts";
import type { Discovery, EmptyPolicy } from "../discovery.ts";
import { keepIfSame } from "../same-endpoints.ts";
import type { Wakeup } from "../wakeup.ts";
import { Watcher } from "../watcher.ts";

/** Told of every failure of one of several combined sources, also of those that the others make up for. Must not throw. */
export type SourceErrorListener = (error: unknown, service: string, source: Discovery) => void;

/** What a {@link Source} needs. */
export interface SourceOptions {
  readonly discovery: Discovery;
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly emptyPolicy: EmptyPolicy | undefined;
  readonly onError: SourceErrorListener | undefined;
  /** Woken whenever anything here has changed. */
  readonly changes: Wakeup;
}

/**
 * One of the sources that `fallback` and `union` combine. It is kept by the same watcher as every adapter of a mesh: started
 * again with backoff and jitter, its last good set kept.
 */
export class Source {
  readonly discovery: Discovery;
  readonly #watcher: Watcher;
  #endpoints: readonly Endpoint[] | undefined = undefined;
  #rejected: readonly Endpoint[] = [];
  #listed: readonly Endpoint[] = [];
  #answers = 0;
  #isFailing = false;
  #error: unknown = undefined;

  constructor({ discovery, service, clock, random, emptyPolicy, onError, changes }: SourceOptions) {
    this.discovery = discovery;
    this.#watcher = new Watcher({
      discovery,
      service,
      clock,
      random,
      emptyPolicy,
      onUpdate: ({ endpoints, rejected, quarantined }) => {
        this.#isFailing = false;
        this.#keep(
          endpoints,
          rejected.map(({ entry }) => entry as Endpoint),
        );
        if (!quarantined) this.#answers++;
        changes.wake();
      },
      onError: (error) => {
        this.#isFailing = true;
        this.#error = error;
        changes.wake();
        try {
          onError?.(error, service, discovery);
        } catch (thrown) {
          // It would end the watcher's loop, and with it discovery.
          process.emitWarning(`onError of a combined discovery threw: ${describeError(thrown)}`);
        }
      },
    });
    this.#watcher.start();
  }

  /** The last good set; `undefined` before the first. */
  get endpoints(): readonly Endpoint[] | undefined {
    return this.#endpoints;
  }

  /**
   * The entries of that answer that are no endpoints. To be yielded too: the watcher of the mesh rejects them again, and its
   * observers hear of them.
   */
  get rejected(): readonly Endpoint[] {
    return this.#rejected;
  }

  /** Both together, and the same array until one of them changes. */
  get listed(): readonly Endpoint[] {
    return this.#listed;
  }

  /** How many answers {@link endpoints} is from: one more with each that confirms it. One in quarantine is not among them. */
  get answers(): number {
    return this.#answers;
  }

  /** Whether the last thing it said was an error. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** The last error. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when the adapter has let go. */
  stop(): Promise<void> {
    return this.#watcher.stop();
  }

  #keep(endpoints: readonly Endpoint[], rejected: readonly Endpoint[]): void {
    const kept = keepIfSame(this.#endpoints, endpoints);
    if (kept === this.#endpoints && isDeepStrictEqual(rejected, this.#rejected)) return;
    this.#endpoints = kept;
    this.#rejected = rejected;
    this.#listed = [...kept, ...rejected];
    if (isAuthoritative(kept)) authoritative(this.#listed);
  }
}
