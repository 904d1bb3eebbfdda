import type { Upstream } from "../../core/upstream.ts";

/** Added to the priority of an instance that discovery's last answer leaves out: behind all those that it lists. */
const lastResort = 65_536;

/** The instances of one priority. */
export interface Level {
  /** The place of the level: {@link placeOf} of its members. */
  readonly priority: number;
  readonly members: readonly Upstream[];
  /** The part of a member that belongs to this process, above 0 and below 1; a member that is missing belongs to it wholly. */
  readonly parts?: ReadonlyMap<Upstream, number>;
}

/** The priority of an upstream; 0 when discovery gives none. */
export function priorityOf(upstream: Upstream): number {
  return upstream.endpoint.priority ?? 0;
}

/** The place of an upstream among the levels: its priority, behind all others where discovery's last answer leaves it out. */
export function placeOf(upstream: Upstream): number {
  return upstream.unconfirmed ? lastResort + priorityOf(upstream) : priorityOf(upstream);
}

/** Whether a level is a last resort: discovery's last answer leaves its members out. */
export function isLastResort({ priority }: Pick<Level, "priority">): boolean {
  return priority >= lastResort;
}

/** The upstreams by priority, the lowest number first. */
export function levelsOf(upstreams: readonly Upstream[]): readonly Level[] {
  const byPriority = Map.groupBy(upstreams, placeOf);
  return [...byPriority].map(([priority, members]) => ({ priority, members })).sort((one, other) => one.priority - other.priority);
}

/** The upstreams of positive weight, or all when there are none: an instance of weight 0 serves only in the absence of others. */
export function weightyOf(upstreams: readonly Upstream[]): readonly Upstream[] {
  const weighty = upstreams.filter(({ weight }) => weight > 0);
  return weighty.length > 0 ? weighty : upstreams;
}
