/** A timer in a {@link TimerQueue}. */
export interface QueuedTimer {
  /** The time at which it fires, in the queue's milliseconds. */
  readonly at: number;
  readonly callback: () => void;
  readonly keepsProcess: boolean;
}

class Entry implements QueuedTimer {
  readonly at: number;
  readonly callback: () => void;
  readonly keepsProcess: boolean;
  /** Of two timers for the same time, the one that was set first fires first. */
  readonly order: number;
  /** Its place in the heap; -1 once it is removed. */
  place = -1;

  constructor(at: number, callback: () => void, keepsProcess: boolean, order: number) {
    this.at = at;
    this.callback = callback;
    this.keepsProcess = keepsProcess;
    this.order = order;
  }
}

/**
 * Timers in the order in which they fire: a binary heap whose entries know their place, so that a timer is removed in logarithmic time.
 * Most timers of a mesh are time limits that are cleared before they fire.
 */
export class TimerQueue {
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Number of timers that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** The next one to fire. */
  get first(): QueuedTimer | undefined {
    return this.#heap[0];
  }

  add(at: number, callback: () => void, keepsProcess: boolean): QueuedTimer {
    const entry = new Entry(at, callback, keepsProcess, this.#order++);
    this.#heap.push(entry);
    this.#rise(entry, this.#heap.length - 1);
    return entry;
  }

  /** Removes a timer; does nothing for a timer that has been removed, or for any other value. */
  remove(timer: unknown): void {
    if (!(timer instanceof Entry) || timer.place < 0 || this.#heap[timer.place] !== timer) return;
    const { place } = timer;
    timer.place = -1;
    const last = this.#heap.pop() as Entry;
    if (last === timer) return;
    this.#rise(last, place);
    if (last.place === place) this.#sink(last, place);
  }

  /** All timers, the next one to fire first. */
  sorted(): readonly QueuedTimer[] {
    return [...this.#heap].sort((one, other) => (isBefore(one, other) ? -1 : 1));
  }

  #rise(entry: Entry, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above] as Entry;
      if (isBefore(parent, entry)) break;
      this.#heap[place] = parent;
      parent.place = place;
      place = above;
    }
    this.#heap[place] = entry;
    entry.place = place;
  }

  #sink(entry: Entry, from: number): void {
    const size = this.#heap.length;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      if (below + 1 < size && isBefore(this.#heap[below + 1] as Entry, this.#heap[below] as Entry)) below++;
      const child = this.#heap[below] as Entry;
      if (isBefore(entry, child)) break;
      this.#heap[place] = child;
      child.place = place;
      place = below;
    }
    this.#heap[place] = entry;
    entry.place = place;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
