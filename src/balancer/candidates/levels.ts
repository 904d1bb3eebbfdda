import type { Upstream } from "../../core/upstream.ts";

/** The instances of one priority. */
export interface Level {
  readonly priority: number;
  readonly members: readonly Upstream[];
  /** The part of a member that belongs to this process, above 0 and below 1; a member that is missing belongs to it wholly. */
  readonly parts?: ReadonlyMap<Upstream, number>;
}

/** The priority of an upstream; 0 when discovery gives none. */
export function priorityOf(upstream: Upstream): number {
  return upstream.endpoint.priority ?? 0;
}

/** The upstreams by priority, the lowest number first. */
export function levelsOf(upstreams: readonly Upstream[]): readonly Level[] {
  const byPriority = Map.groupBy(upstreams, priorityOf);
  return [...byPriority].map(([priority, members]) => ({ priority, members })).sort((one, other) => one.priority - other.priority);
}

/** The upstreams of positive weight, or all when there are none: an instance of weight 0 serves only in the absence of others. */
export function weightyOf(upstreams: readonly Upstream[]): readonly Upstream[] {
  const weighty = upstreams.filter(({ weight }) => weight > 0);
  return weighty.length > 0 ? weighty : upstreams;
}
