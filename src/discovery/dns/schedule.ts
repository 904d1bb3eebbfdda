/** Bounds of the time between two rounds of queries. */
export interface Schedule {
  /** Shortest time after an answer, in milliseconds. */
  readonly minTtlMs: number;
  /** Longest time, in milliseconds. */
  readonly maxTtlMs: number;
}

/** Longest negative TTL, also where the server gives none: calls may be waiting for the name to appear. */
const negativeTtlS = 5;

/**
 * Milliseconds until the next query for records with `ttlS` seconds to live, within the bounds of the schedule. The last tenth is random,
 * so that clients that queried together do not stay in step.
 */
export function refreshDelayMs(ttlS: number, random: number, { minTtlMs, maxTtlMs }: Schedule): number {
  const jittered = Math.min(ttlS * 1000, maxTtlMs) * (0.9 + 0.1 * random);
  return Math.max(jittered, minTtlMs);
}

/** The time to live of a negative answer whose SOA record grants `soaTtlS`, in seconds. */
export function negativeTtl(soaTtlS: number | undefined): number {
  return Math.min(soaTtlS ?? negativeTtlS, negativeTtlS);
}
