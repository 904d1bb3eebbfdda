/** A change of one endpoint that a registry has acknowledged; `value` is where it is from then on, `undefined` for nowhere. */
export interface Write {
  readonly endpoint: string;
  readonly value: string | undefined;
  readonly invokedAt: number;
  readonly acknowledgedAt: number;
}

/** What a client knew of all endpoints from this moment on, until its next observation. */
export interface Observation {
  readonly at: number;
  readonly values: ReadonlyMap<string, string>;
}

/** Something that a client knew and should not have known, or no more. */
export interface Violation {
  readonly endpoint: string;
  readonly at: number;
  readonly value: string | undefined;
  /**
   * `stale`: a change had been acknowledged for longer than the bound. `backwards`: an older value after a newer one. `unwritten`: nobody
   * had begun to write it.
   */
  readonly kind: "stale" | "backwards" | "unwritten";
}

const epsilonMs = 1e-6;

/**
 * Checks a history against a register for each endpoint whose reads may be late by `boundMs` and by no more: there is an order in which
 * every observation sees one write or the one before, never an earlier one again, and none that was superseded for longer than the bound.
 * The writes of one endpoint must not overlap. A client keeps what it knows until `endAt`.
 */
export function violationsOf(
  writes: readonly Write[],
  observations: readonly Observation[],
  boundMs: number,
  endAt: number,
): readonly Violation[] {
  const found: Violation[] = [];
  for (const endpoint of new Set(writes.map((write) => write.endpoint))) {
    const own = writes.filter((write) => write.endpoint === endpoint).sort((a, b) => a.invokedAt - b.invokedAt);
    // The write that the client has seen last; before the first one there was nothing.
    let seen = -1;
    const valueAt = (index: number) => own[index]?.value;
    /** The newest write whose acknowledgement is older than the bound: at least that has to be known at `at`. */
    const due = (at: number) => own.findLastIndex(({ acknowledgedAt }) => acknowledgedAt + boundMs < at);
    const begun = (at: number) => own.findLastIndex(({ invokedAt }) => invokedAt <= at);
    const explanation = (value: string | undefined, from: number, at: number) => {
      for (let index = from; index <= begun(at); index++) if (valueAt(index) === value) return index;
      return undefined;
    };
    observations.forEach(({ at, values }, place) => {
      const value = values.get(endpoint);
      const until = observations[place + 1]?.at ?? endAt;
      const first = explanation(value, Math.max(seen, due(at)), at);
      // It must stay true for as long as the client goes by it, and so just after each moment at which a write has to be known.
      const moments = own.map(({ acknowledgedAt }) => acknowledgedAt + boundMs + epsilonMs).filter((each) => each > at && each < until);
      const last = [...moments, until].reduce<number | undefined>(
        (from, moment) => (from === undefined ? undefined : explanation(value, Math.max(from, due(moment)), moment)),
        first,
      );
      if (last !== undefined) {
        // As early as possible: a later one would make the next observation look older than it is.
        seen = first as number;
        return;
      }
      const isKnown = first !== undefined || explanation(value, seen, at) !== undefined;
      found.push({ endpoint, at, value, kind: isKnown ? "stale" : explanation(value, -1, at) === undefined ? "unwritten" : "backwards" });
      // From here on only what comes later is judged.
      seen = Math.max(seen, explanation(value, -1, at) ?? -1);
    });
  }
  return found;
}
