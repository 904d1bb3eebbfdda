import type { Clock } from "../../core/clock.ts";
import type { MeshRequest } from "../../core/dispatch.ts";
import { MeshError } from "../../core/errors.ts";
import type { Routed, Subset } from "../../core/routed.ts";
import type { Upstream } from "../../core/upstream.ts";
import { type ConcurrencyOptions, concurrencyOptions } from "./concurrency-options.ts";
import { TurnQueue, type TurnQueueOptions } from "./turn-queue.ts";

/** The parts that an {@link InstanceLimit} works with. */
export interface InstanceLimitOptions {
  readonly service: string;
  /** The instances that may be picked at present by a call of this route. */
  readonly candidates: (request: Pick<MeshRequest, "routed">) => readonly Upstream[];
  readonly clock: Clock;
}

/** The attempts that wait for the same instances. */
interface Line {
  readonly routed: Routed | undefined;
  readonly queue: TurnQueue;
  /** Attempts that have left the queue and have not picked an instance yet: they hold a place. */
  called: number;
}

/**
 * Bounds the attempts in flight at each instance of a service. While all instances are full that a call may go to, its attempts wait in a bounded queue,
 * by `priority`: one for the service, and one for each subset that routes lead to, so that a full subset holds up no call to another. One that finds
 * the queue full, or waits too long, rejects with `ERR_MESH_OVERLOADED`.
 */
export class InstanceLimit {
  /** Attempts that one instance may have in flight. */
  max: number;
  readonly #candidates: InstanceLimitOptions["candidates"];
  #limits: Pick<TurnQueueOptions, "maxQueued" | "queueTimeoutMs">;
  readonly #createQueue: () => TurnQueue;
  /** Only those that something waits in. */
  readonly #lines = new Map<Subset | undefined, Line>();

  constructor(max: number, concurrency: ConcurrencyOptions, { service, candidates, clock }: InstanceLimitOptions) {
    this.#limits = concurrencyOptions.settle(concurrency);
    this.max = max;
    this.#candidates = candidates;
    const refusal = ({ attempts, routed }: MeshRequest, why: string) => {
      const where = routed?.subset === undefined ? "" : ` of the subset ${routed.subset.name}`;
      const what = `every instance of "${service}"${where} has ${this.max} attempts in flight (concurrency.maxInFlightPerInstance)`;
      return new MeshError("ERR_MESH_OVERLOADED", `${what}: ${why}`, { service, attempts: [...attempts], stack: false });
    };
    this.#createQueue = () => new TurnQueue({ ...this.#limits, clock, refusal });
  }

  /** Takes other limits: attempts that wait keep their places, and as many go on as there is room for. */
  adjust(max: number, concurrency: ConcurrencyOptions): void {
    this.max = max;
    this.#limits = concurrencyOptions.settle(concurrency);
    for (const { queue } of this.#lines.values()) queue.adjust(this.#limits);
    this.fill();
  }

  /** Lets all go on, those that come yet too. */
  retire(): void {
    this.max = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) while (line.queue.next()) line.called++;
  }

  /** Attempts that wait. */
  get queued(): number {
    let queued = 0;
    for (const { queue } of this.#lines.values()) queued += queue.size;
    return queued;
  }

  /** Whether attempts that came before hold all places of the instances that a request may go to, or wait for one. */
  isTaken({ routed }: Pick<MeshRequest, "routed">): boolean {
    const line = this.#lines.size === 0 ? undefined : this.#lines.get(routed?.subset);
    return line !== undefined && (line.queue.size > 0 || line.called > 0);
  }

  /** Whether an instance has as many attempts in flight as it may. */
  isFull(upstream: Upstream): boolean {
    return upstream.inFlight >= this.max;
  }

  /** Waits until there is room for the request, then calls `go`, which picks an instance at once. Resolves as it does. */
  async waitFor<Result>(request: MeshRequest, go: () => Promise<Result>): Promise<Result> {
    const line = this.#lineOf(request);
    try {
      await line.queue.wait(request);
      line.called--;
    } finally {
      if (line.queue.size === 0 && line.called === 0) this.#lines.delete(request.routed?.subset);
    }
    return go();
  }

  /** Lets as many attempts go on as there is room for. To be called when an attempt has ended or the instances have changed. */
  readonly fill = (): void => {
    if (this.#lines.size === 0) return;
    for (const line of this.#lines.values()) this.#fill(line);
  };

  #fill(line: Line): void {
    if (line.queue.size === 0) return;
    const candidates = this.#candidates(line);
    let room = -line.called;
    for (const { inFlight } of candidates) room += Math.max(0, this.max - inFlight);
    // Without instances waiting is in vain: all attempts go on, and fail.
    if (candidates.length === 0) room = line.queue.size;
    for (; room > 0 && line.queue.next(); room--) line.called++;
  }

  #lineOf({ routed }: MeshRequest): Line {
    const known = this.#lines.get(routed?.subset);
    if (known !== undefined) return known;
    const line: Line = { routed, queue: this.#createQueue(), called: 0 };
    this.#lines.set(routed?.subset, line);
    return line;
  }
}

/** The limit of each instance; `undefined` where the options have none. */
export function instanceLimit(concurrency: ConcurrencyOptions | false, options: InstanceLimitOptions): InstanceLimit | undefined {
  if (concurrency === false || concurrency.maxInFlightPerInstance === undefined) return undefined;
  return new InstanceLimit(concurrency.maxInFlightPerInstance, concurrency, options);
}
