/** A change that is built and checked, and not in force yet. */
export interface PreparedStep {
  /** Puts it in force; it throws nothing. */
  commit(): void;
  /** Releases what has been built, in place of {@link commit}. */
  abandon(): void;
}
