/** No position to wait at: the query does not block. */
export const noIndex = 0n;

/** Consul's index is a `uint64`. */
const maxIndex = 2n ** 64n - 1n;

/** The index in `X-Consul-Index`; {@link noIndex} when there is none, or one that Consul cannot have sent. */
export function parseIndex(header: unknown): bigint {
  if (typeof header !== "string" || !/^\d{1,20}$/.test(header)) return noIndex;
  const index = BigInt(header);
  return index <= maxIndex ? index : noIndex;
}

/**
 * Whether a change can be used that came in answer to a blocking query at `asked`, with `count` entries. When a wait ends without a change,
 * Consul's streaming backend answers from a view that may be empty or half filled (it is new, has lost its server, or the token its
 * rights), under the same index or under 1, and never says that ACLs filtered the result.
 */
export function isReliable(asked: bigint, answered: bigint, count: number): boolean {
  return asked === noIndex || (answered > asked && count > 0);
}

/** The index of a query and that of its answer. */
export interface IndexedAnswer {
  readonly asked: bigint;
  readonly answered: bigint;
  /** Whether the answer came before the wait was over. */
  readonly isEarly: boolean;
}

/**
 * The index to wait at next. An index that goes backwards (the registry was restored or restarted) starts from the beginning, and so does
 * one that stays the same before the wait is over: a proxy in between does not understand it.
 */
export function nextIndex({ asked, answered, isEarly }: IndexedAnswer): bigint {
  return answered < asked || (answered === asked && isEarly) ? noIndex : answered;
}
