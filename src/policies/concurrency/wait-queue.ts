import type { CallPriority } from "../../core/dispatch.ts";

/** An entry of a {@link WaitQueue}. */
export interface Waiter {
  readonly priority: CallPriority;
  /** Called when it is the waiter's turn. */
  readonly onTurn: () => void;
  /** Called when its place is given to a waiter of a higher priority. */
  readonly onShed: () => void;
}

const lanes: readonly CallPriority[] = ["high", "normal", "low"];

/** A bounded queue by priority; first in, first out within a priority. Waiters are removed in constant time. */
export class WaitQueue {
  #max: number;
  // A set keeps the order of its elements, and removes them in constant time.
  readonly #lanes: ReadonlyMap<CallPriority, Set<Waiter>> = new Map(lanes.map((lane) => [lane, new Set()]));
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes another bound, for waiters that come: those that wait keep their places. */
  adjust(max: number): void {
    this.#max = max;
  }

  /**
   * Adds a waiter. In a full queue it takes the place of the newest waiter of the lowest priority below its own; `false` where there is
   * none.
   */
  add(waiter: Waiter): boolean {
    if (this.#size >= this.#max && !this.#shedBelow(waiter.priority)) return false;
    this.#lanes.get(waiter.priority)?.add(waiter);
    this.#size++;
    return true;
  }

  /** Removes and returns the next waiter; `undefined` where the queue is empty. */
  take(): Waiter | undefined {
    for (const lane of this.#lanes.values()) {
      for (const waiter of lane) {
        this.remove(waiter);
        return waiter;
      }
    }
    return undefined;
  }

  /** Removes a waiter; does nothing for one that does not wait. */
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
