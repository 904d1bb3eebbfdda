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
  let turns: readonly Turn[] = [];
  let isEven = true;
  let next = 0;
  return {
    update(upstreams) {
      turns = takeOver(turns, upstreams);
      isEven = turns.every((turn) => turn.weight === turns[0]?.weight);
    },
    pick(upstreams) {
      // Equal weights are plain round-robin: the same sequence at any number of candidates for the same few nanoseconds.
      if (isEven) return upstreams[next++ % upstreams.length];
      if (upstreams.length === turns.length && upstreams[0] === turns[0]?.upstream) return pickAmong(turns);
      return pickAmong(turnsOf(upstreams, turns)) ?? upstreams[next++ % upstreams.length];
    },
    forService: () => weighted(),
  };
}

/**
 * The turns of a changed set. Who stays keeps its place in the sequence, so that an update does not favour the first of the
 * list again. A place is counted in weights: who was a thousand behind among weights of a thousand must not wait for a
 * thousand picks among weights of one.
 */
function takeOver(before: readonly Turn[], upstreams: readonly Upstream[]): readonly Turn[] {
  const known = new Map(before.map((turn) => [turn.upstream, turn]));
  const turns: Turn[] = upstreams.map((upstream) => ({ upstream, weight: upstream.weight, current: known.get(upstream)?.current ?? 0 }));
  if (turns.length === before.length && turns.every(({ upstream, weight }) => known.get(upstream)?.weight === weight)) return turns;
  const scale = totalOf(turns) / (totalOf(before) || 1);
  for (const turn of turns) turn.current *= scale;
  return turns;
}

function totalOf(turns: readonly Turn[]): number {
  return turns.reduce((sum, turn) => sum + turn.weight, 0);
}

/** `undefined` when no turn has a weight. */
function pickAmong(turns: readonly Turn[]): Upstream | undefined {
  let best: Turn | undefined;
  let total = 0;
  for (const turn of turns) {
    // It has no share, also not when all others happen to be behind.
    if (turn.weight === 0) continue;
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
  const wanted = new Set(upstreams);
  const known = turns.filter((turn) => wanted.has(turn.upstream));
  return known.length === upstreams.length ? known : upstreams.map((upstream) => ({ upstream, weight: upstream.weight, current: 0 }));
}
