/** Keys that are remembered of each kind; with more nothing further is counted of keys. */
const maxKeys = 10_000;

/**
 * The keys of calls that were counted as evidence. Calls with the same key go to the same target, so that one caller that always fails would be many failures of
 * one target: only the first of each key is one that chance has given to its target.
 */
export class CountedKeys {
  readonly #failed = new Set<number>();
  readonly #timed = new Set<number>();

  /** Whether this is the first failure of its key, or of a call without one. */
  isFirstFailure(key: number | undefined): boolean {
    return key === undefined || isFirst(this.#failed, key);
  }

  /** Whether this is the first timed answer of its key, or of a call without one. */
  isFirstTimed(key: number | undefined): boolean {
    return key === undefined || isFirst(this.#timed, key);
  }
}

function isFirst(keys: Set<number>, key: number): boolean {
  if (keys.size >= maxKeys || keys.has(key)) return false;
  keys.add(key);
  return true;
}
