import type { Clock } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type ConcurrencyOptions, concurrencyOptions } from "./concurrency-options.ts";
import { TurnQueue } from "./turn-queue.ts";

/** The parts that an {@link InstanceLimit} works with. */
export interface InstanceLimitOptions {
  readonly service: string;
  /** The instances that may be picked at present. */
  readonly candidates: () => readonly Upstream[];
  readonly clock: Clock;
}

/**
 * Bounds the attempts in flight at each instance of a service. While all instances are full, attempts wait in a bounded queue, by `priority`. One
 * that finds the queue full, or waits too long, rejects with `ERR_MESH_OVERLOADED`.
 */
export class InstanceLimit {
  /** Attempts that one instance may have in flight. */
  max: number;
  readonly #candidates: () => readonly Upstream[];
  readonly #queue: TurnQueue;
  /** Attempts that have left the queue and have not picked an instance yet: they hold a place. */
  #called = 0;

  constructor(max: number, concurrency: ConcurrencyOptions, { service, candidates, clock }: InstanceLimitOptions) {
    const { maxQueued, queueTimeoutMs } = concurrencyOptions.settle(concurrency);
    this.max = max;
    this.#candidates = candidates;
    const what = () => `every instance of "${service}" has ${this.max} attempts in flight (concurrency.maxInFlightPerInstance)`;
    const refusal = ({ attempts }: MeshRequest, why: string) =>
      new MeshError("ERR_MESH_OVERLOADED", `${what()}: ${why}`, { service, attempts: [...attempts], stack: false });
    this.#queue = new TurnQueue({ maxQueued, queueTimeoutMs, clock, refusal });
  }

  /** Takes other limits: attempts that wait keep their places, and as many go on as there is room for. */
  adjust(max: number, concurrency: ConcurrencyOptions): void {
    this.max = max;
    this.#queue.adjust(concurrencyOptions.settle(concurrency));
    this.fill();
  }

  /** Lets all go on, those that come yet too. */
  retire(): void {
    this.max = Number.POSITIVE_INFINITY;
    while (this.#queue.next()) this.#called++;
  }

  /** Attempts that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Whether attempts that came before hold all places, or wait for one. */
  get isTaken(): boolean {
    return this.#queue.size > 0 || this.#called > 0;
  }

  /** Whether an instance has as many attempts in flight as it may. */
  isFull(upstream: Upstream): boolean {
    return upstream.inFlight >= this.max;
  }

  /** Waits until there is room for the request, then calls `go`, which picks an instance at once. Resolves as it does. */
  async waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result> {
    await this.#queue.wait(request);
    this.#called--;
    return go();
  }

  /** Lets as many attempts go on as there is room for. To be called when an attempt has ended or the instances have changed. */
  readonly fill = (): void => {
    if (this.#queue.size === 0) return;
    const candidates = this.#candidates();
    let room = -this.#called;
    for (const { inFlight } of candidates) room += Math.max(0, this.max - inFlight);
    // Without instances waiting is in vain: all attempts go on, and fail.
    if (candidates.length === 0) room = this.#queue.size;
    for (; room > 0 && this.#queue.next(); room--) this.#called++;
  };
}

/** The limit of each instance; `undefined` where the options have none. */
export function instanceLimit(concurrency: ConcurrencyOptions | false, options: InstanceLimitOptions): InstanceLimit | undefined {
  if (concurrency === false || concurrency.maxInFlightPerInstance === undefined) return undefined;
  return new InstanceLimit(concurrency.maxInFlightPerInstance, concurrency, options);
}
