/** The name of a failure domain; `undefined`: none. */
export type Zone = string | undefined;

/**
 * The share of each zone, 0 to 1, in the requests of a caller in the zone `own`; `undefined` when zones have no effect, because the
 * callers or the instances are in fewer than two. Envoy's rule: while the own zone's part of the capacity is at least its part of the
 * callers, all requests stay in it. Otherwise it keeps as many as leave its instances no busier than the others, and the rest goes to
 * the zones whose part of the capacity exceeds their part of the callers, in proportion to the excess.
 * @param capacities capacity of the instances of each zone, in any unit
 * @param callers number of callers in each zone; absent: equally many in the own zone and in each zone with instances
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
  // Only rounding leads to a shortage here without an excess elsewhere.
  if (!isEnough && excess === 0) return undefined;
  for (const [zone, residual] of shares) shares.set(zone, excess === 0 ? 0 : ((1 - local) * residual) / excess);
  // The own zone may have no instances.
  if (capacities.has(own)) shares.set(own, local);
  return isEnough && !capacities.has(own) ? undefined : shares;
}

/** Equal parts may differ in their last bit. */
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
