import type { Random } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import { placesIn } from "../lists/places.ts";
import { weightsOf } from "../lists/weights.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { Schedule } from "./schedule.ts";
import { SmoothSchedule } from "./smooth-schedule.ts";
import { TurnSchedule } from "./turn-schedule.ts";

/** Up to so many members a pick may pass over all of them: exactly nginx's order for as many as anybody writes down by hand. */
const maxSmooth = 256;

/** The schedule of a list by the weights that discovery gives. */
export interface WeightPlan {
  readonly upstreams: readonly Upstream[];
  readonly weights: Float64Array;
  readonly schedule: Schedule;
}

/**
 * Plans a list by its weights, out of the plan of the list that it has come from: who stays keeps its place, so that an update
 * does not favour the first of the list again. A place is counted in picks and not in weights: who was a thousand behind among
 * weights of a thousand must not wait for a thousand picks among weights of one.
 */
export function planOf(upstreams: readonly Upstream[], before: WeightPlan | undefined, random: Random): WeightPlan {
  const weights = weightsOf(upstreams);
  if (weights.every((weight) => weight === weights[0])) {
    const begin = before?.schedule instanceof TurnSchedule ? before.schedule.turn : 0;
    return { upstreams, weights, schedule: new TurnSchedule(weights.length, begin) };
  }
  const places = before === undefined ? undefined : placesIn(before.upstreams, upstreams);
  if (weights.length > maxSmooth) return { upstreams, weights, schedule: new EdfSchedule(weights, lagsOf(places, before), random) };
  return { upstreams, weights, schedule: new SmoothSchedule(weights, currentsOf(weights, places, before)) };
}

function lagsOf(places: Int32Array | undefined, before: WeightPlan | undefined): Float64Array | undefined {
  if (places === undefined || before === undefined) return undefined;
  // Nothing is known of who is new: it joins anywhere in its round.
  return Float64Array.from(places, (place) => (place < 0 ? Number.NaN : before.schedule.lagOf(place)));
}

function currentsOf(weights: Float64Array, places: Int32Array | undefined, before: WeightPlan | undefined): Float64Array {
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
