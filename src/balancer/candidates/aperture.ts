/** Which of the clients of a service this process is. */
export interface ClientPosition {
  /** From 0, another one in each client: the ordinal of a pod. */
  readonly index: number;
  /** How many clients there are. */
  readonly count: number;
}

/** A stretch of a ring of servers. */
export interface Aperture {
  /** The index of the first server. */
  readonly first: number;
  /** How much of each server is inside, above 0 up to 1, from the first one on and around the end. */
  readonly parts: readonly number[];
}

/** A part smaller than this is a rounding error. */
const leastPart = 1e-9;

/**
 * The servers of one client in Finagle's deterministic aperture. Clients and servers divide the same ring, the clients evenly, the
 * servers by their weights. A client takes its own section and whole ones of the clients after it until it has at least `size`
 * servers of average weight, so that every point of the ring is in the aperture of equally many clients.
 */
export function apertureOf(weights: readonly number[], size: number, { index, count }: ClientPosition): Aperture {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const sections = Math.ceil((size * count) / weights.length);
  if (!(total > 0) || sections >= count) return { first: 0, parts: weights.map(() => 1) };
  // All × count, so that whole weights stay whole numbers.
  const start = index * total;
  const end = start + sections * total;
  const parts: number[] = [];
  let first = -1;
  let from = 0;
  // Twice around: an aperture may go past the end. Its last server may be its first one too, with both of its ends.
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
