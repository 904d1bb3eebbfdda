/** A failure domain; `undefined` for what has none. */
export type Zone = string | undefined;

/** Options of how zones share the load. */
export interface ZoneAwareOptions {
  /** With fewer available instances of a priority than this the zones play no part. @default 6 */
  readonly minEndpoints?: number;
  /**
   * How many callers each zone has: numbers by zone, or the name of the service that calls, whose instances discovery counts.
   * @default as many in each zone that the service has an instance in
   */
  readonly callers?: Readonly<Record<string, number>> | string;
}

/**
 * The share of each zone in the requests of a caller in `own`, 0 to 1; `undefined` when zones cannot share, because the callers or the
 * instances are in fewer than two. Envoy's rule: while the own zone's part of the capacity is at least its part of the callers,
 * everything stays there; else as much as keeps its instances no busier than the others, and the rest goes to the zones whose
 * part of the capacity exceeds their part of the callers, in proportion to the excess.
 * @param capacities what the instances of each zone can take, in any unit
 * @param callers how many callers each zone has; absent: as many in each zone with instances, and in the own one
 */
export function zoneShares(
  own: string,
  capacities: ReadonlyMap<Zone, number>,
  callers: ReadonlyMap<Zone, number> = evenCallers(own, capacities),
): ReadonlyMap<Zone, number> | undefined {
  const capacity = sumOf(capacities);
  const population = sumOf(callers);
  if (countOf(capacities) < 2 || countOf(callers) < 2 || !(capacity > 0 && population > 0)) return undefined;
  const capacityOf = (zone: Zone) => (capacities.get(zone) ?? 0) / capacity;
  const callersOf = (zone: Zone) => (callers.get(zone) ?? 0) / population;
  const shares = new Map<Zone, number>();
  const isEnough = capacityOf(own) >= callersOf(own) - tolerance;
  const local = isEnough ? 1 : capacityOf(own) / callersOf(own);
  let excess = 0;
  for (const zone of capacities.keys()) {
    const residual = isEnough || zone === own ? 0 : Math.max(0, capacityOf(zone) - callersOf(zone));
    shares.set(zone, residual);
    excess += residual;
  }
  // Without an excess anywhere there is nothing to share by; only rounding can get here.
  if (!isEnough && excess === 0) return undefined;
  for (const [zone, residual] of shares) shares.set(zone, excess === 0 ? 0 : ((1 - local) * residual) / excess);
  // No instance of the own zone: nothing stays there.
  if (capacities.has(own)) shares.set(own, local);
  return isEnough && !capacities.has(own) ? undefined : shares;
}

/** Parts that should be equal differ in their last bit. */
const tolerance = 1e-9;

function evenCallers(own: string, capacities: ReadonlyMap<Zone, number>): ReadonlyMap<Zone, number> {
  const callers = new Map<Zone, number>([[own, 1]]);
  for (const zone of capacities.keys()) if (zone !== undefined) callers.set(zone, 1);
  return callers;
}

function sumOf(numbers: ReadonlyMap<Zone, number>): number {
  let sum = 0;
  for (const number of numbers.values()) sum += number;
  return sum;
}

function countOf(numbers: ReadonlyMap<Zone, number>): number {
  let count = 0;
  for (const number of numbers.values()) if (number > 0) count++;
  return count;
}
