import { describeError } from "../core/errors.ts";
import { fenceResult } from "../core/observing/fence.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Balancer } from "./balancer.ts";
import type { Picker, PickerView } from "./picker.ts";

/** The knowledge of a picker about one upstream: its figures, and what they say of its picks. */
export interface PickerKnowledge {
  /** `undefined` for a picker without any figures. */
  readonly figures: PickerView | undefined;
  /** The part of its list's picks that it is meant to have, in proportion to the others; `undefined` where the picker does not say. */
  readonly meant: number | undefined;
  /** The reason for which the picker avoids it, and when it is tried next; `undefined` while it does not. */
  readonly avoided: string | undefined;
}

/** Asks a picker about an upstream. The picker may be the program's, and the page explains from a timer: it is fenced. */
export function knowledgeOf(picker: Pick<Picker, "explain">, upstream: Upstream): PickerKnowledge {
  try {
    const view = picker.explain?.(upstream);
    fenceResult("explain of a picker", view);
    if (view === undefined || view === null) return { figures: undefined, meant: undefined, avoided: undefined };
    const { meant, avoided, ...figures } = view;
    return {
      figures: Object.keys(figures).length === 0 ? undefined : figures,
      meant: typeof meant === "number" && meant >= 0 && meant < Number.POSITIVE_INFINITY ? meant : undefined,
      avoided: typeof avoided === "string" ? avoided : undefined,
    };
  } catch (error) {
    return { figures: { error: describeError(error) }, meant: undefined, avoided: undefined };
  }
}

/** The share of the picks of a service that each instance has got in the last minute, 0 to 1; empty where there was none. */
export function sharesGot(upstreams: readonly Upstream[], now: number): ReadonlyMap<Upstream, number> {
  const counts = upstreams.map((upstream) => upstream.recent?.at(now) ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return new Map(total === 0 ? [] : upstreams.map((upstream, index) => [upstream, (counts[index] as number) / total]));
}

/**
 * The share of the picks of a service that each candidate is meant to have at present, 0 to 1: that of its list, divided as the picker says, and by
 * weight where it says nothing. An instance in slow start has a part of it.
 */
export function sharesMeant(balancer: Balancer, knowledge: ReadonlyMap<Upstream, PickerKnowledge>): ReadonlyMap<Upstream, number> {
  const shares = new Map<Upstream, number>();
  for (const { upstreams, share } of balancer.lists) {
    if (share === 0) continue;
    const parts = partsOf(upstreams, knowledge).map(
      (part, index) => part * (balancer.candidacyOf(upstreams[index] as Upstream).slowStartRatio ?? 1),
    );
    const total = parts.reduce((sum, part) => sum + part, 0);
    upstreams.forEach((upstream, index) => {
      shares.set(upstream, total === 0 ? share / upstreams.length : (share * (parts[index] as number)) / total);
    });
  }
  return shares;
}

/** One of which the picker does not know yet what it means to give it counts as the mean of those of which it does. */
function partsOf(upstreams: readonly Upstream[], knowledge: ReadonlyMap<Upstream, PickerKnowledge>): readonly number[] {
  const meant = upstreams.map((upstream) => knowledge.get(upstream)?.meant);
  const known = meant.filter((part) => part !== undefined);
  if (known.length === 0) return upstreams.map(({ weight }) => weight);
  const mean = known.reduce((sum, part) => sum + part, 0) / known.length;
  return meant.map((part) => part ?? mean);
}
