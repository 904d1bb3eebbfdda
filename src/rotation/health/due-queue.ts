/** An item that waits for its time. */
export interface Due {
  /** When it is due, in milliseconds of the clock. Must not change while the item waits. */
  dueAt: number;
}

/** Items that wait, the next one first. Fast where most are put in near the end: intervals differ by their jitter only. */
export class DueQueue<Item extends Due> {
  #items: Item[] = [];

  /** The item that is due next. */
  get next(): Item | undefined {
    return this.#items[0];
  }

  /** Puts in an item, behind those that are due at the same time. */
  add(item: Item): void {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle] as Item).dueAt <= item.dueAt) low = middle + 1;
      else high = middle;
    }
    this.#items.splice(low, 0, item);
  }

  /** Takes out the next item if it is due at `untilMs` or before. */
  takeDue(untilMs: number): Item | undefined {
    const next = this.#items[0];
    return next === undefined || next.dueAt > untilMs ? undefined : this.#items.shift();
  }

  /** Drops the items that `isKept` refuses. */
  keep(isKept: (item: Item) => boolean): void {
    this.#items = this.#items.filter(isKept);
  }
}
