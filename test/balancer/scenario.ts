import type { Picker } from "../../src/balancer/picker.ts";
import type { Clock } from "../../src/core/clock.ts";
import { statisticsOf } from "../../src/core/upstream.ts";
import { localResponse } from "../../src/extend.ts";
import { MeshError } from "../../src/index.ts";
import { seededRandom, testRequest, testUpstream } from "../../src/testing/index.ts";

/** How an instance answers a request that arrives at `now`. `status` 0: the attempt fails without a response. */
export type Instance = (now: number, path: string, random: () => number) => { readonly ms: number; readonly status: number };

export interface Scenario {
  readonly instances: readonly Instance[];
  readonly create: (options: { random: () => number; clock: Clock }) => Picker;
  /** Requests per second, at random moments. */
  readonly rate?: number;
  readonly seconds: number;
  /** Paths of the requests, in turn. */
  readonly paths?: readonly string[];
  readonly seed?: number;
}

/** One request of a scenario that has ended. */
export interface Served {
  readonly at: number;
  readonly instance: number;
  readonly path: string;
  readonly ms: number;
  readonly status: number;
}

/** A clock that a test sets. */
export function manualClock(): Clock & { time: number } {
  return {
    time: 0,
    now() {
      return this.time;
    },
    wallNow: () => 0,
    setTimer: () => undefined,
    clearTimer: () => undefined,
  };
}

/** Runs a picker as the balance layer does, in virtual time, without retries and without breakers. */
export function play({ instances, create, rate = 100, seconds, paths = ["/items/1"], seed = 1 }: Scenario): readonly Served[] {
  const random = seededRandom(seed);
  const clock = manualClock();
  const picker = create({ random: seededRandom(seed + 1), clock });
  const upstreams = instances.map((_, index) => testUpstream({ host: `10.0.0.${index + 1}` }));
  picker.update?.(upstreams);
  const served: Served[] = [];
  const ends: { at: number; run: () => void }[] = [];
  const runUntil = (until: number) => {
    for (let next = ends[0]; next !== undefined && next.at <= until; next = ends[0]) {
      ends.shift();
      clock.time = next.at;
      next.run();
    }
    clock.time = until;
  };
  let calls = 0;
  for (let at = 0; at < seconds * 1_000; at += (-Math.log(1 - random()) * 1_000) / rate) {
    runUntil(at);
    const path = paths[calls++ % paths.length] as string;
    const request = testRequest({ path });
    const upstream = picker.pick(upstreams, request);
    if (upstream === undefined) throw new Error("no upstream was picked");
    const instance = upstreams.indexOf(upstream);
    const { ms, status } = (instances[instance] as Instance)(at, path, random);
    statisticsOf(upstream).inFlight++;
    const learner = picker.onAttempt?.(upstream, request);
    const end = {
      at: at + ms,
      run() {
        statisticsOf(upstream).inFlight--;
        if (status !== 0) learner?.onHead(localResponse(status));
        learner?.onEnd(status === 0 ? new MeshError("ERR_MESH_TIMEOUT", "no answer", { service: "test" }) : undefined);
        served.push({ at, instance, path, ms, status });
      },
    };
    const place = ends.findIndex((other) => other.at > end.at);
    ends.splice(place < 0 ? ends.length : place, 0, end);
  }
  runUntil(Number.POSITIVE_INFINITY);
  return served;
}

/** The share of one instance among the requests that began between two moments, in seconds. */
export function shareOf(
  served: readonly Served[],
  instance: number,
  fromSeconds = 0,
  toSeconds: number = Number.POSITIVE_INFINITY,
): number {
  const those = served.filter(({ at }) => at >= fromSeconds * 1_000 && at < toSeconds * 1_000);
  return those.filter((each) => each.instance === instance).length / those.length;
}

/** The share of requests that were answered with a status below 400. */
export function successOf(served: readonly Served[]): number {
  return served.filter(({ status }) => status > 0 && status < 400).length / served.length;
}

/** Milliseconds that the requests took on average. */
export function meanMs(served: readonly Served[]): number {
  return served.reduce((sum, { ms }) => sum + ms, 0) / served.length;
}

/** Answers 200 after an exponentially distributed time of `meanMs` on average. */
export function healthy(meanMs: number): Instance {
  return (_now, _path, random) => ({ ms: meanMs * (0.5 - 0.5 * Math.log(1 - random())), status: 200 });
}

/** Answers `status` within a millisecond. */
export function failing(status: number): Instance {
  return () => ({ ms: 1, status });
}
