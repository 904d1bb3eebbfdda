import { quoted } from "../../core/text/clean-text.ts";
import type { Upstream } from "../../core/upstream.ts";
import { isLastResort, type Level, weightyOf } from "./levels.ts";
import { type PriorityLoad, type PriorityOptions, priorityLoads } from "./priority-load.ts";
import { type ZoneAwareOptions, zoneAwareOptions } from "./zone-aware-options.ts";
import { type Zone, zoneShares } from "./zone-load.ts";

/** Why unavailable members are candidates: `some`: too few members of the priority are available; `none`: no instance at all is. */
export type Panic = "no" | "some" | "none";

/** A list of upstreams that a picker chooses from. */
export interface CandidateList {
  /** The same array until something changes that a picker may see. */
  readonly upstreams: readonly Upstream[];
  /** Its share of the requests, 0 to 1. A list of share 0 is for retries only, when all others have been tried. */
  readonly share: number;
  readonly priority: number;
  /** The zone of its members, where zones share the load. */
  readonly zone: { readonly name: Zone } | undefined;
  readonly panic: Panic;
  /** Whether its members belong wholly or in part to this process, where an aperture cuts some of them in two. */
  readonly aperture?: "whole" | "cut";
  /** Identifies the list across changes. */
  readonly key: string;
}

/** Options and data that the shares of lists depend on, beside the upstreams. */
export interface ShareOptions {
  readonly priorities?: PriorityOptions | undefined;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly zoneAware?: ZoneAwareOptions | false | undefined;
  /** Number of callers in each zone, where it is known. */
  readonly callers?: ReadonlyMap<Zone, number> | undefined;
}

/**
 * The lists that picks are made from. Their shares add up to 1, and none is empty. When no instance at all is available, the preferred
 * priority is tried as a whole: the traffic itself finds the first instance that has recovered.
 */
export function candidateLists(levels: readonly Level[], options: ShareOptions): readonly CandidateList[] {
  const available = levels.map(({ members }) => members.filter(({ state }) => state === "available"));
  const [preferred] = levels;
  if (preferred === undefined) return [];
  if (available.every(({ length }) => length === 0)) return [listOf(preferred, weightyOf(preferred.members), 1, "none")];
  const healths = levels.map(({ members }, index) => ({ size: members.length, available: available[index]?.length ?? 0 }));
  const loads = priorityLoads(healths, prioritiesOf(levels, options));
  return levels.flatMap((level, index) => {
    const { share, isPanic } = loads[index] as PriorityLoad;
    const serving = isPanic ? level.members : (available[index] ?? []);
    if (serving.length === 0) return [];
    const weighty = weightyOf(serving);
    if (isPanic) return [listOf(level, weighty, share, "some")];
    return byZone(level, weighty, share, options) ?? byPart(level, weighty, share);
  });
}

/** A last resort is no priority of the service: beside a single one, panic stays off. */
function prioritiesOf(levels: readonly Level[], { priorities = {} }: ShareOptions): PriorityOptions {
  const isSingle = levels.filter((level) => !isLastResort(level)).length <= 1;
  return isSingle && levels.length > 1 && priorities.panicRatio === undefined ? { ...priorities, panicRatio: 0 } : priorities;
}

function listOf(level: Level, upstreams: readonly Upstream[], share: number, panic: Panic, part = ""): CandidateList {
  return { upstreams, share, priority: level.priority, zone: undefined, panic, key: `${level.priority} ${part}` };
}

/** One list for each zone, the own one first; `undefined` where zones have no effect. */
function byZone(level: Level, upstreams: readonly Upstream[], share: number, options: ShareOptions): readonly CandidateList[] | undefined {
  const { zone: own, zoneAware = {}, callers } = options;
  if (own === undefined || zoneAware === false || upstreams.length < zoneAwareOptions.settle(zoneAware).minEndpoints) return undefined;
  const members = Map.groupBy(upstreams, ({ endpoint }): Zone => endpoint.zone || undefined);
  const capacities = new Map([...members].map(([zone, list]) => [zone, capacityOf(list)]));
  const shares = zoneShares(own, capacities, callers);
  if (shares === undefined) return undefined;
  // The order must not depend on discovery's, so that a key keeps its zone.
  const order = [...members].sort(([one = ""], [other = ""]) => Number(other === own) - Number(one === own) || (one < other ? -1 : 1));
  return order.map(([zone, list]) => ({
    ...listOf(level, list, share * (shares.get(zone) ?? 0), "no", `zone ${quoted(zone)}`),
    zone: { name: zone },
  }));
}

/** The sum of the weights; the number of instances when all weights are 0. */
function capacityOf(upstreams: readonly Upstream[]): number {
  return upstreams.reduce((sum, { weight }) => sum + weight, 0) || upstreams.length;
}

/** A list of its own for each instance of which only a part belongs to this client, so that it gets less with every picker. */
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
 * `next` with the arrays of `before` where they contain the same upstreams and none of `changed`: a change in one zone must not rebuild
 * the rings of the others.
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
