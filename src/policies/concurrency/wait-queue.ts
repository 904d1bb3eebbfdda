import type { CallPriority } from "../../core/dispatch.ts";

/** Somebody who waits in a {@link WaitQueue}. */
export interface Waiter {
  readonly priority: CallPriority;
  /** It is this waiter's turn. */
  readonly onTurn: () => void;
  /** Its place was given to one of a higher priority. */
  readonly onShed: () => void;
}

const lanes: readonly CallPriority[] = ["high", "normal", "low"];

/** A bounded queue: by priority, and first come, first served within one. Who leaves, leaves in constant time. */
export class WaitQueue {
  readonly #max: number;
  // A set keeps its order, and forgets in constant time.
  readonly #lanes: ReadonlyMap<CallPriority, Set<Waiter>> = new Map(lanes.map((lane) => [lane, new Set()]));
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** `false` when there is no room. Where the queue is full, the newest of a lower priority makes room. */
  add(waiter: Waiter): boolean {
    if (this.#size >= this.#max && !this.#shedBelow(waiter.priority)) return false;
    this.#lanes.get(waiter.priority)?.add(waiter);
    this.#size++;
    return true;
  }

  /** Takes out who is next. */
  take(): Waiter | undefined {
    for (const lane of this.#lanes.values()) {
      for (const waiter of lane) {
        this.remove(waiter);
        return waiter;
      }
    }
    return undefined;
  }

  /** Who waits no longer; harmless when it does not. */
  remove(waiter: Waiter): void {
    if (this.#lanes.get(waiter.priority)?.delete(waiter)) this.#size--;
  }

  #shedBelow(priority: CallPriority): boolean {
    for (const lane of lanes.slice(lanes.indexOf(priority) + 1).reverse()) {
      const newest = [...(this.#lanes.get(lane) ?? [])].at(-1);
      if (newest === undefined) continue;
      this.remove(newest);
      newest.onShed();
      return true;
    }
    return false;
  }
}
