/** Not a position to wait at: ask without waiting. */
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
 * Whether a change can be believed that was answered to a question at `asked` with `count` entries. Consul's streaming backend
 * answers a wait that was in vain from a view that may be empty or half filled (it has just been made, lost its server, or the
 * token its rights), under the same index or under 1, and never says that it filtered by ACLs.
 */
export function isCertain(asked: bigint, answered: bigint, count: number): boolean {
  return asked === noIndex || (answered > asked && count > 0);
}

/** A question at `asked` and the index of its answer. */
export interface IndexedAnswer {
  readonly asked: bigint;
  readonly answered: bigint;
  /** Whether the answer came before the wait was over. */
  readonly isEarly: boolean;
}

/**
 * Where to wait next. An index that goes backwards (a restored or restarted registry) starts from the beginning, and so does
 * one that stays the same although the wait was not over: somebody in between does not understand it.
 */
export function nextIndex({ asked, answered, isEarly }: IndexedAnswer): bigint {
  return answered < asked || (answered === asked && isEarly) ? noIndex : answered;
}
