/** When to ask again. */
export interface Schedule {
  /** Never sooner than this after an answer. */
  readonly minTtlMs: number;
  /** Never later. */
  readonly maxTtlMs: number;
}

/** How long a "no such name" holds where its server does not say, and at most: somebody may be waiting for the name to appear. */
const negativeTtlS = 5;

/**
 * Milliseconds until the next query for records with `ttlS` seconds to live: the last tenth is random, so that clients
 * who asked together don't ask together again, and the whole is clamped to the schedule's bounds.
 */
export function refreshDelayMs(ttlS: number, random: number, { minTtlMs, maxTtlMs }: Schedule): number {
  const jittered = Math.min(ttlS * 1000, maxTtlMs) * (0.9 + 0.1 * random);
  return Math.max(jittered, minTtlMs);
}

/** For how many seconds to believe a negative answer, whose SOA grants `soaTtlS`. */
export function negativeTtl(soaTtlS: number | undefined): number {
  return Math.min(soaTtlS ?? negativeTtlS, negativeTtlS);
}
