import type { Upstream } from "../core/upstream.ts";
import type { Picker } from "./picker.ts";

interface Turn {
  readonly upstream: Upstream;
  readonly weight: number;
  current: number;
}

/**
 * Smooth weighted round-robin with exactly nginx's sequence (`ngx_http_upstream_get_peer`): weights {5, 1, 1} give
 * a a b a c a a. A pick costs one pass over the candidates, or a step of an index while all weights are equal.
 */
export function weighted(): Picker {
  let turns: Turn[] = [];
  let isEven = true;
  let next = 0;
  return {
    update(upstreams) {
      const before = new Map(turns.map((turn) => [turn.upstream, turn]));
      // Who stays keeps its place in the sequence, so that an update does not favour the first of the list again.
      turns = upstreams.map((upstream) => ({ upstream, weight: upstream.weight, current: before.get(upstream)?.current ?? 0 }));
      isEven = turns.every((turn) => turn.weight === turns[0]?.weight);
    },
    pick(upstreams) {
      // Equal weights are plain round-robin: the same sequence at any number of candidates for the same few nanoseconds.
      if (isEven) return upstreams[next++ % upstreams.length];
      if (upstreams.length === turns.length && upstreams[0] === turns[0]?.upstream) return pickAmong(turns);
      return pickAmong(turnsOf(upstreams, turns));
    },
    forService: () => weighted(),
  };
}

function pickAmong(turns: readonly Turn[]): Upstream | undefined {
  let best: Turn | undefined;
  let total = 0;
  for (const turn of turns) {
    turn.current += turn.weight;
    total += turn.weight;
    if (best === undefined || turn.current > best.current) best = turn;
  }
  if (best === undefined) return undefined;
  best.current -= total;
  return best.upstream;
}

/** The turns of a part of the candidates: a retry picks among those not yet tried. */
function turnsOf(upstreams: readonly Upstream[], turns: readonly Turn[]): readonly Turn[] {
  const known = turns.filter((turn) => upstreams.includes(turn.upstream));
  return known.length === upstreams.length ? known : upstreams.map((upstream) => ({ upstream, weight: upstream.weight, current: 0 }));
}
