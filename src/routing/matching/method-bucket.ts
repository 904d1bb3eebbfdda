/** Takes lists of entries, each in the order of their ranks. An entry may be in several. */
export interface EntryVisitor<Entry> {
  visit(entries: readonly Entry[]): void;
}

/** Entries of one place, by method, each list in the order in which they were added. Most places have one entry: nothing is made for what is not there. */
export class MethodBucket<Entry> {
  #anyMethod: Entry[] | undefined = undefined;
  #methods: string[] | undefined = undefined;
  #lists: Entry[][] | undefined = undefined;

  add(entry: Entry, methods: readonly string[] | undefined): void {
    if (methods === undefined) {
      this.#anyMethod = appended(this.#anyMethod, entry);
      return;
    }
    this.#methods ??= [];
    this.#lists ??= [];
    for (const method of methods) {
      const at = this.#methods.indexOf(method);
      if (at === -1) {
        this.#methods.push(method);
        this.#lists.push([entry]);
      } else this.#lists[at]?.push(entry);
    }
  }

  tell(method: string, visitor: EntryVisitor<Entry>): void {
    if (this.#anyMethod !== undefined) visitor.visit(this.#anyMethod);
    const at = this.#methods === undefined ? -1 : this.#methods.indexOf(method);
    if (at !== -1) visitor.visit(this.#lists?.[at] as Entry[]);
  }
}

/** A list with one more: one that begins empty would make room for 17. */
function appended<Entry>(list: Entry[] | undefined, entry: Entry): Entry[] {
  if (list === undefined) return [entry];
  list.push(entry);
  return list;
}
