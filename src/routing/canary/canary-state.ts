/** An entry of a {@link CanaryState}. */
export interface CanaryEntry {
  readonly value: string;
  /** Another one after each change. */
  readonly version: string;
}

/**
 * Where several processes take one decision on a canary: entries of text below a key. One entry, `decision`, is written by whichever process comes to it first;
 * each process writes one more with what it has counted.
 *
 * Both methods may reject: each process keeps the last decision then, judges by its own counts, and tries again.
 */
export interface CanaryState {
  /** The name in messages. */
  readonly name: string;
  /** The entries below `key`, by name. */
  read(key: string, signal: AbortSignal): Promise<ReadonlyMap<string, CanaryEntry>>;
  /**
   * Writes the entry `name` below `key`, and resolves with whether it did.
   * @param condition its version before: if it has another one, nothing is written. `absent`: only where there is no entry. `own`: the entry is of this
   * process, and had better be gone soon after it
   */
  write(
    key: string,
    name: string,
    value: string,
    condition: { readonly version: string } | "absent" | "own",
    signal: AbortSignal,
  ): Promise<boolean>;
  /** Releases what it holds. */
  close?(): Promise<void>;
}

/** A {@link CanaryState} in memory, for the meshes of one process, and for tests. */
export function memoryCanaryState(): CanaryState {
  const keys = new Map<string, Map<string, CanaryEntry>>();
  let versions = 0;
  return {
    name: "memory",
    read: async (key) => new Map(keys.get(key)),
    async write(key, name, value, condition) {
      const entries = keys.get(key) ?? new Map<string, CanaryEntry>();
      keys.set(key, entries);
      const known = entries.get(name);
      if (condition === "absent" && known !== undefined) return false;
      if (typeof condition === "object" && known?.version !== condition.version) return false;
      entries.set(name, { value, version: String(++versions) });
      return true;
    },
  };
}
