/** An entry that a source of endpoints lists, and that is no endpoint at present. */
export interface LeftOut {
  /** The id that the endpoint has whenever it is one; absent where the entry shows none. */
  readonly id?: string;
  /** The reason in a few words, such as `no port` or `in maintenance`. */
  readonly reason: string;
  /**
   * `true` where the source has been told that the instance takes no calls: an operator's maintenance, a status that the instance gave
   * itself. Such an instance leaves at once. Absent means `false`: the source has concluded it, from silence for example, and may be wrong
   * about many at once; the instance counts as missing from the answer, from one that is certain too.
   */
  readonly withdrawn?: boolean;
}

/** A reason for which entries of an answer are not used, and their number. */
export interface LeftOutCount {
  readonly reason: string;
  readonly count: number;
}

/** Reasons that are told apart; a source may make up any number of them. */
const maxReasons = 20;

/** Counts entries by their reasons, the most frequent one first. */
export function countReasons(entries: Iterable<{ readonly reason: string }>): readonly LeftOutCount[] {
  const counts = new Map<string, number>();
  for (const { reason } of entries) {
    const known = counts.has(reason) || counts.size < maxReasons ? reason : "other reasons";
    counts.set(known, (counts.get(known) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count);
}

/** The counts as a text: `3 × no port, 1 × in maintenance`. */
export function reasonsText(counts: readonly LeftOutCount[]): string {
  return counts.map(({ reason, count }) => `${count} × ${reason}`).join(", ");
}
