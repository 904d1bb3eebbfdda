import type { Clock } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type ConcurrencyOptions, concurrencyOptions } from "./concurrency-options.ts";
import { TurnQueue } from "./turn-queue.ts";

/** What an {@link InstanceLimit} needs beside the user's options. */
export interface InstanceLimitOptions {
  readonly service: string;
  /** Who may be picked now. */
  readonly candidates: () => readonly Upstream[];
  readonly clock: Clock;
}

/**
 * Bounds the attempts in flight at one instance. Where no instance has room, attempts wait for some, by `priority`; who finds no place in
 * the queue, or waits too long, is refused with `ERR_MESH_OVERLOADED`.
 */
export class InstanceLimit {
  readonly max: number;
  readonly #candidates: () => readonly Upstream[];
  readonly #queue: TurnQueue;
  /** Whose turn it is, and who has not picked an instance yet: the room is theirs. */
  #called = 0;

  constructor(max: number, concurrency: ConcurrencyOptions, { service, candidates, clock }: InstanceLimitOptions) {
    const { maxQueued, queueTimeoutMs } = concurrencyOptions.settle(concurrency);
    this.max = max;
    this.#candidates = candidates;
    const what = `every instance of "${service}" has ${max} attempts in flight (concurrency.maxInFlightPerInstance)`;
    const refusal = ({ attempts }: MeshRequest, why: string) =>
      new MeshError("ERR_MESH_OVERLOADED", `${what}: ${why}`, { service, attempts: [...attempts], stack: false });
    this.#queue = new TurnQueue({ maxQueued, queueTimeoutMs, clock, refusal });
  }

  /** Attempts that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Whether others are first. */
  get isTaken(): boolean {
    return this.#queue.size > 0 || this.#called > 0;
  }

  isFull(upstream: Upstream): boolean {
    return upstream.inFlight >= this.max;
  }

  /** Resolves with what `go` makes of it when there is room for the request; `go` picks at once. */
  async waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result> {
    await this.#queue.wait(request);
    this.#called--;
    return go();
  }

  /** An attempt has ended, or there are other instances: as many go on as there is room for. */
  readonly fill = (): void => {
    if (this.#queue.size === 0) return;
    const candidates = this.#candidates();
    let room = -this.#called;
    for (const { inFlight } of candidates) room += Math.max(0, this.max - inFlight);
    // Without any instance waiting is of no use: they are told so.
    if (candidates.length === 0) room = this.#queue.size;
    for (; room > 0 && this.#queue.next(); room--) this.#called++;
  };
}

/** The limit that `concurrency` asks for, if it does. */
export function instanceLimit(concurrency: ConcurrencyOptions | false, options: InstanceLimitOptions): InstanceLimit | undefined {
  if (concurrency === false || concurrency.maxInFlightPerInstance === undefined) return undefined;
  return new InstanceLimit(concurrency.maxInFlightPerInstance, concurrency, options);
}
