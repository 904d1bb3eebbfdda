import type { Random } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import { placesIn } from "../lists/per-list.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { Schedule } from "./schedule.ts";
import { SmoothSchedule } from "./smooth-schedule.ts";
import { weightsOf } from "./weight.ts";

/** Each in turn. */
export class TurnSchedule implements Schedule {
  readonly #size: number;
  #turn: number;

  /** @param begin the index that comes first, of a list that may have been longer */
  constructor(size: number, begin = 0) {
    this.#size = size;
    this.#turn = begin % size;
  }

  /** The index that comes next. */
  get turn(): number {
    return this.#turn;
  }

  next(): number {
    const index = this.#turn;
    this.#turn = index + 1 < this.#size ? index + 1 : 0;
    return index;
  }

  lagOf(): number {
    return 0;
  }
}

/** Up to so many members a pick may pass over all of them: exactly nginx's order for as many as anybody writes down by hand. */
const maxSmooth = 256;

/** The schedule of a list by the weights that discovery gives. */
export interface StaticPlan {
  readonly upstreams: readonly Upstream[];
  readonly weights: Float64Array;
  readonly schedule: Schedule;
}

/**
 * Plans a list by its weights, out of the plan of the list that it has come from: who stays keeps its place, so that an update
 * does not favour the first of the list again. A place is counted in picks and not in weights: who was a thousand behind among
 * weights of a thousand must not wait for a thousand picks among weights of one.
 */
export function planOf(upstreams: readonly Upstream[], before: StaticPlan | undefined, random: Random): StaticPlan {
  const weights = weightsOf(upstreams);
  if (weights.every((weight) => weight === weights[0])) {
    const begin = before?.schedule instanceof TurnSchedule ? before.schedule.turn : 0;
    return { upstreams, weights, schedule: new TurnSchedule(weights.length, begin) };
  }
  const places = before === undefined ? undefined : placesIn(before.upstreams, upstreams);
  if (weights.length > maxSmooth) return { upstreams, weights, schedule: new EdfSchedule(weights, lagsOf(places, before), random) };
  return { upstreams, weights, schedule: new SmoothSchedule(weights, currentsOf(weights, places, before)) };
}

function lagsOf(places: Int32Array | undefined, before: StaticPlan | undefined): Float64Array | undefined {
  if (places === undefined || before === undefined) return undefined;
  // Nothing is known of who is new: it joins anywhere in its round.
  return Float64Array.from(places, (place) => (place < 0 ? Number.NaN : before.schedule.lagOf(place)));
}

function currentsOf(weights: Float64Array, places: Int32Array | undefined, before: StaticPlan | undefined): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const currents = new Float64Array(weights.length);
  if (places === undefined || before === undefined) return currents;
  const { schedule } = before;
  const isSame = weights.length === before.weights.length && weights.every((weight, at) => before.weights[places[at] as number] === weight);
  for (const [index, place] of places.entries()) {
    if (place < 0) continue;
    // To the bit where nothing but the order has changed: rounding would decide ties.
    currents[index] =
      isSame && schedule instanceof SmoothSchedule ? schedule.currentOf(place) : Math.min(1, Math.max(-1, schedule.lagOf(place))) * total;
  }
  return currents;
}
