import type { Upstream } from "../../core/upstream.ts";
import { type Level, weightyOf } from "./levels.ts";
import { type PriorityLoad, type PriorityOptions, priorityLoads } from "./priority-load.ts";
import { type Zone, type ZoneAwareOptions, zoneShares } from "./zone-load.ts";

/** Why a priority's unavailable members are candidates: `some` of them are available but too few, or `none` of any priority is. */
export type Panic = "no" | "some" | "none";

/** Upstreams that a picker chooses from. */
export interface CandidateList {
  /** The same array for as long as nothing changes that a picker sees. */
  readonly upstreams: readonly Upstream[];
  /** Its share of the requests, 0 to 1. With 0 it serves retries only, when everybody else has been tried. */
  readonly share: number;
  readonly priority: number;
  /** The zone of its members, where zones share the load. */
  readonly zone: { readonly name: Zone } | undefined;
  readonly panic: Panic;
  /** Whether its members are this process's wholly or in part, where an aperture cuts some in two. */
  readonly aperture?: "whole" | "cut";
  /** What it is recognised by after a change. */
  readonly key: string;
}

/** What the shares depend on beside the upstreams. */
export interface ShareOptions {
  readonly priorities?: PriorityOptions | undefined;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly zoneAware?: ZoneAwareOptions | false | undefined;
  /** How many callers each zone has, where that is known. */
  readonly callers?: ReadonlyMap<Zone, number> | undefined;
}

/**
 * The lists that picks are made from, with shares that add up to 1, none of them empty. Nobody at all available: the preferred
 * priority is tried as a whole, and the first healthy one is found by the traffic itself.
 */
export function candidateLists(levels: readonly Level[], options: ShareOptions): readonly CandidateList[] {
  const available = levels.map(({ members }) => members.filter(({ state }) => state === "available"));
  const [preferred] = levels;
  if (preferred === undefined) return [];
  if (available.every(({ length }) => length === 0)) return [listOf(preferred, weightyOf(preferred.members), 1, "none")];
  const healths = levels.map(({ members }, index) => ({ size: members.length, available: available[index]?.length ?? 0 }));
  const loads = priorityLoads(healths, options.priorities);
  return levels.flatMap((level, index) => {
    const { share, isPanic } = loads[index] as PriorityLoad;
    const serving = isPanic ? level.members : (available[index] ?? []);
    if (serving.length === 0) return [];
    const weighty = weightyOf(serving);
    if (isPanic) return [listOf(level, weighty, share, "some")];
    return byZone(level, weighty, share, options) ?? byPart(level, weighty, share);
  });
}

function listOf(level: Level, upstreams: readonly Upstream[], share: number, panic: Panic, part = ""): CandidateList {
  return { upstreams, share, priority: level.priority, zone: undefined, panic, key: `${level.priority} ${part}` };
}

/** One list for each zone, the own one first; `undefined` where zones play no part. */
function byZone(level: Level, upstreams: readonly Upstream[], share: number, options: ShareOptions): readonly CandidateList[] | undefined {
  const { zone: own, zoneAware = {}, callers } = options;
  if (own === undefined || zoneAware === false || upstreams.length < (zoneAware.minEndpoints ?? 6)) return undefined;
  const members = Map.groupBy(upstreams, ({ endpoint }): Zone => endpoint.zone || undefined);
  const capacities = new Map([...members].map(([zone, list]) => [zone, capacityOf(list)]));
  const shares = zoneShares(own, capacities, callers);
  if (shares === undefined) return undefined;
  // In an order that does not depend on discovery's: a key that chance stands in for keeps its zone.
  const order = [...members].sort(([one = ""], [other = ""]) => Number(other === own) - Number(one === own) || (one < other ? -1 : 1));
  return order.map(([zone, list]) => ({
    ...listOf(level, list, share * (shares.get(zone) ?? 0), "no", `zone ${JSON.stringify(zone)}`),
    zone: { name: zone },
  }));
}

/** The sum of the weights; among instances without weight their number. */
function capacityOf(upstreams: readonly Upstream[]): number {
  return upstreams.reduce((sum, { weight }) => sum + weight, 0) || upstreams.length;
}

/** Lists of their own for instances of which only a part is this client's, so that they get less with every picker. */
function byPart(level: Level, upstreams: readonly Upstream[], share: number): readonly CandidateList[] {
  const { parts } = level;
  const partial = parts === undefined ? [] : upstreams.filter((upstream) => parts.has(upstream));
  if (parts === undefined || partial.length === 0) return [listOf(level, upstreams, share, "no")];
  const whole = upstreams.filter((upstream) => !parts.has(upstream));
  const massOf = (upstream: Upstream) => (parts.get(upstream) ?? 1) * (upstream.weight || 1);
  const mass = (members: readonly Upstream[]) => members.reduce((sum, upstream) => sum + massOf(upstream), 0);
  const total = mass(upstreams);
  const groups = [whole, ...partial.map((upstream) => [upstream])].filter(({ length }) => length > 0);
  return groups.map((members, index) => ({
    ...listOf(level, members, (share * mass(members)) / total, "no", members === whole ? "" : `part ${index}`),
    aperture: members === whole ? "whole" : "cut",
  }));
}

/**
 * `next` with the arrays of `before` where they hold the same upstreams, none of them `changed` to a picker's eye: a flap in one zone
 * does not rebuild the rings of the others.
 */
export function keepArrays(
  before: readonly CandidateList[],
  next: readonly CandidateList[],
  changed: ReadonlySet<Upstream>,
): readonly CandidateList[] {
  if (before.length === 0) return next;
  const known = new Map(before.map((list) => [list.key, list.upstreams]));
  return next.map((list) => {
    const upstreams = known.get(list.key);
    return upstreams !== undefined && isSame(upstreams, list.upstreams, changed) ? { ...list, upstreams } : list;
  });
}

function isSame(before: readonly Upstream[], after: readonly Upstream[], changed: ReadonlySet<Upstream>): boolean {
  if (before.length !== after.length) return false;
  if (changed.size > 0 && after.some((upstream) => changed.has(upstream))) return false;
  if (after.every((upstream, index) => upstream === before[index])) return true;
  const known = new Set(before);
  return after.every((upstream) => known.has(upstream));
}
