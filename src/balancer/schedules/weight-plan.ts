import type { Random } from "../../core/clock.ts";
import type { Upstream } from "../../core/upstream.ts";
import { placesIn } from "../lists/places.ts";
import { weightsOf } from "../lists/weights.ts";
import { EdfSchedule } from "./edf-schedule.ts";
import type { Schedule } from "./schedule.ts";
import { SmoothSchedule } from "./smooth-schedule.ts";
import { TurnSchedule } from "./turn-schedule.ts";

/** Largest list with nginx's order, in which a pick looks at every member. */
const maxSmooth = 256;

/** The schedule of a list by the weights from discovery. */
export interface WeightPlan {
  readonly upstreams: readonly Upstream[];
  readonly weights: Float64Array;
  readonly schedule: Schedule;
}

/**
 * Plans a list by its weights: plain round-robin for equal weights, nginx's order for up to 256 members, else earliest deadline first.
 * Members of the list before keep their lag, so that an update does not favour the first of the list again. The lag is counted in turns
 * and not in weights: a member that lags by a weight of a thousand must not wait for a thousand turns when all weights become one.
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
  // A new member joins at a random point of its period.
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
    // Exact where only the order has changed: rounding would decide ties.
    currents[index] =
      isSame && schedule instanceof SmoothSchedule ? schedule.currentOf(place) : Math.min(1, Math.max(-1, schedule.lagOf(place))) * total;
  }
  return currents;
}
