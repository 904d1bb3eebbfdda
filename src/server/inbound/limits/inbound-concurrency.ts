import type { Clock } from "../../../core/clock.ts";
import type { ConcurrencyReading } from "../../../core/observing/reading.ts";
import { isGatewayError, isOfOneCaller } from "../../../core/outcome.ts";
import { type ConcurrencyLimit, fixedLimit } from "../../../policies/concurrency/limit-algorithm.ts";
import { type Waiter, WaitQueue } from "../../../policies/concurrency/wait-queue.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import type { InboundConcurrencySettings } from "./concurrency-options.ts";

/**
 * Bounds the requests that are handled at a time, response bodies included. One without a place waits in a bounded queue, by priority; one that finds the
 * queue full, or waits too long, is refused with 503 and `x-mesh-refused: 1`, since another instance may have room.
 */
export class InboundConcurrency implements InboundPart {
  readonly name = "concurrency";
  readonly #settings: InboundConcurrencySettings;
  readonly #clock: Clock;
  readonly #limit: ConcurrencyLimit;
  readonly #queue: WaitQueue;
  #inFlight = 0;

  constructor(settings: InboundConcurrencySettings, clock: Clock) {
    const { maxInFlight, maxQueued } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#limit = (typeof maxInFlight === "number" ? fixedLimit(maxInFlight) : maxInFlight).begin();
    this.#queue = new WaitQueue(maxQueued);
  }

  /** The numbers of this moment. */
  get reading(): ConcurrencyReading {
    return { inFlight: this.#inFlight, queued: this.#queue.size, limit: this.#limit.value };
  }

  arrive(record: InboundRequest): boolean {
    if (this.#inFlight < this.#limit.value && this.#queue.size === 0) {
      this.#admit(record);
      return false;
    }
    return this.#wait(record);
  }

  leave(record: InboundRequest): void {
    if (record.waiter !== undefined) this.#forget(record);
    if (record.placeAt === 0) return;
    const { reply, inFlightAtPlace: inFlight, placeAt } = record;
    record.placeAt = 0;
    this.#inFlight--;
    // A fast 429 says nothing of the room: it is said to one caller.
    const { statusCode: status } = reply;
    if (!isOfOneCaller(status)) this.#limit.learn({ ms: this.#clock.now() - placeAt, inFlight, dropped: isGatewayError(status) });
    this.#fill();
  }

  #admit(record: InboundRequest): void {
    this.#inFlight++;
    record.inFlightAtPlace = this.#inFlight;
    // The clock may begin at 0, which stands for no place.
    record.placeAt = this.#clock.now() || Number.MIN_VALUE;
  }

  #wait(record: InboundRequest): boolean {
    const { queueTimeoutMs } = this.#settings;
    const waiter: Waiter = {
      priority: record.priority,
      onTurn: () => {
        this.#forget(record);
        this.#admit(record);
        record.resume();
      },
      onShed: () => this.#refuse(record, "its place in the queue was given to a request of a higher priority"),
    };
    if (!this.#queue.add(waiter)) return this.#refuse(record, `${this.#queue.size} wait already`);
    record.keepContext();
    record.waiter = {
      waiter,
      timer: this.#clock.setTimer(() => this.#refuse(record, `it has waited for ${queueTimeoutMs} ms`), queueTimeoutMs, false),
    };
    return true;
  }

  #refuse(record: InboundRequest, why: string): true {
    this.#forget(record);
    return record.refuse(this.name, { why: `this instance has ${this.#inFlight} requests in flight: ${why}` });
  }

  #forget(record: InboundRequest): void {
    if (record.waiter === undefined) return;
    this.#clock.clearTimer(record.waiter.timer);
    this.#queue.remove(record.waiter.waiter);
    record.waiter = undefined;
  }

  #fill(): void {
    while (this.#inFlight < this.#limit.value) {
      const next = this.#queue.take();
      if (next === undefined) return;
      next.onTurn();
    }
  }
}
