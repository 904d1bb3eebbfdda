import type { Random } from "../../core/clock.ts";
import type { CallOptions } from "../../core/dispatch.ts";
import type { Arrivals, SimulatedRequest } from "./scenario.ts";

/** A call of a scenario. */
export interface Arrival {
  readonly atMs: number;
  readonly client: number;
  readonly method: string;
  readonly path: string;
  readonly options: CallOptions | undefined;
}

/** Parameters of {@link arrivalsOf}. */
export interface ArrivalOptions {
  readonly arrivals: Arrivals;
  readonly durationMs: number;
  readonly clients: number;
  readonly requests: readonly SimulatedRequest[];
  readonly random: Random;
}

/** The calls of a scenario in the order of time. They depend on `random` only, not on what clients and servers do. */
export function* arrivalsOf({ arrivals, durationMs, clients, requests, random }: ArrivalOptions): Generator<Arrival> {
  const total = requests.reduce((sum, { share = 1 }) => sum + share, 0);
  const draw = (): SimulatedRequest => {
    if (requests.length === 1) return requests[0] as SimulatedRequest;
    let rest = random() * total;
    for (const request of requests) {
      rest -= request.share ?? 1;
      if (rest < 0) return request;
    }
    return requests.at(-1) as SimulatedRequest;
  };
  for (const atMs of momentsOf(arrivals, durationMs, random)) {
    const { method = "GET", path = "/", keys, options } = draw();
    const keyed = keys === undefined ? options : { ...options, hashKey: `key-${Math.floor(random() * keys)}` };
    yield { atMs, client: clients === 1 ? 0 : Math.floor(random() * clients), method, path, options: keyed };
  }
}

function* momentsOf({ ratePerSecond, spacing = "poisson" }: Arrivals, durationMs: number, random: Random): Generator<number> {
  const phases = typeof ratePerSecond === "number" ? [{ fromMs: 0, ratePerSecond }] : ratePerSecond;
  for (const [index, { fromMs, ratePerSecond: rate }] of phases.entries()) {
    const untilMs = Math.min(durationMs, phases[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
    if (rate === 0) continue;
    if (spacing === "uniform") {
      // A multiplication each: a million additions of a third would accumulate rounding errors.
      for (let count = 0; fromMs + (count * 1_000) / rate < untilMs; count++) yield fromMs + (count * 1_000) / rate;
    } else {
      const gap = () => (-Math.log(1 - random()) * 1_000) / rate;
      for (let atMs = fromMs + gap(); atMs < untilMs; atMs += gap()) yield atMs;
    }
  }
}
