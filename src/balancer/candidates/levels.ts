import type { Upstream } from "../../core/upstream.ts";

/** The instances of one priority. */
export interface Level {
  readonly priority: number;
  readonly members: readonly Upstream[];
  /** Members that this process shares with others, and how much of each is its own: above 0, below 1. The rest is whole. */
  readonly parts?: ReadonlyMap<Upstream, number>;
}

/** The priority of an upstream, 0 when discovery gave none. */
export function priorityOf(upstream: Upstream): number {
  return upstream.endpoint.priority ?? 0;
}

/** The upstreams by priority, the lowest number first. */
export function levelsOf(upstreams: readonly Upstream[]): readonly Level[] {
  const byPriority = Map.groupBy(upstreams, priorityOf);
  return [...byPriority].map(([priority, members]) => ({ priority, members })).sort((one, other) => one.priority - other.priority);
}

/** Those with a weight, or all when none has one: weight 0 serves only when there is nobody else. */
export function weightyOf(upstreams: readonly Upstream[]): readonly Upstream[] {
  const weighty = upstreams.filter(({ weight }) => weight > 0);
  return weighty.length > 0 ? weighty : upstreams;
}
