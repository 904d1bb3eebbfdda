import type { ClientPosition } from "./subset-options.ts";

/** A section of a ring of servers. */
export interface Aperture {
  /** The index of the first server. */
  readonly first: number;
  /** The part of each server that is inside, above 0 up to 1, from the first one on and around the end of the list. */
  readonly parts: readonly number[];
}

/** Smaller parts are rounding errors. */
const leastPart = 1e-9;

/**
 * The servers of one client in Finagle's deterministic aperture. Clients and servers divide the same ring, the clients evenly, the
 * servers by their weights. The aperture of a client is its own section and those of the next clients, until it has at least `size`
 * servers of average weight. Every point of the ring is thus in the apertures of equally many clients.
 */
export function apertureOf(weights: readonly number[], size: number, { index, count }: ClientPosition): Aperture {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sections = Math.ceil((size * count) / weights.length);
  if (!(total > 0) || sections >= count) return { first: 0, parts: weights.map(() => 1) };
  // Everything × count, so that whole weights stay whole numbers.
  const start = index * total;
  const end = start + sections * total;
  const parts: number[] = [];
  let first = -1;
  let from = 0;
  // Twice around: an aperture may go past the end, and its last server may be its first one, of which it has both ends.
  for (let step = 0; step < 2 * weights.length && from < end; step++) {
    const server = step % weights.length;
    const width = (weights[server] as number) * count;
    const part = (Math.min(end, from + width) - Math.max(start, from)) / width;
    from += width;
    if (!(part > leastPart)) continue;
    if (first === server) parts[0] = (parts[0] as number) + part;
    else parts.push(part);
    if (first < 0) first = server;
  }
  return { first, parts };
}
