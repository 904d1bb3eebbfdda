/** Verdicts of questions on a group of things, one character each: `1` or `0`. */
export interface Element<Item> {
  readonly items: readonly Item[];
  readonly verdicts: string;
}

/** Groups that are looked at: with more, the questions are too many to be combined. */
const maxElements = 512;

/**
 * All verdicts that groups of things can have, with a smallest found group for each: groups are joined until nothing new comes. `join` says how the verdicts
 * of two groups make those of both.
 */
export function closureOf<Item>(
  singles: readonly Element<Item>[],
  join: (one: Element<Item>, other: Element<Item>) => Element<Item>,
  cut: () => void,
): readonly Element<Item>[] {
  const found = new Map<string, Element<Item>>();
  for (const single of singles) if (!found.has(single.verdicts)) found.set(single.verdicts, single);
  const basis = [...found.values()];
  let fresh: readonly Element<Item>[] = basis;
  while (fresh.length > 0) {
    const next: Element<Item>[] = [];
    for (const one of fresh) {
      for (const other of basis) {
        const both = join(one, other);
        if (found.has(both.verdicts)) continue;
        if (found.size >= maxElements) {
          cut();
          return [...found.values()];
        }
        found.set(both.verdicts, both);
        next.push(both);
      }
    }
    fresh = next;
  }
  return [...found.values()];
}
