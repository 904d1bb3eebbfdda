// The cases of Finagle's balancersim (Simulation.scala, Apache License 2.0), written anew from their definitions: ten servers alike, an
// eleventh that is special, 1250 requests per second for 45 s. Finagle plays recorded pings, which are not copied: here a server takes
// 2 ms at least and 5 ms on average.
import type { Latency, ServerPhase, SimulationResult } from "../../src/testing/index.ts";
import type { Case } from "./case.ts";

const second = 1_000;
const special = "special";
const slower = (factor: number): Latency => ({ leastMs: 2 * factor, exponentialMs: 3 * factor });

/** Times as in Finagle's warm-up: at most five times as long, the factor 10 s / time. */
const warmingUp: Latency = ({ nowMs, random }) => {
  const factor = Math.min(5, Math.max(1, (10 * second) / Math.max(1, nowMs)));
  return factor * (2 - 3 * Math.log(1 - random()));
};

const definitions: Readonly<Record<string, { readonly about: string; readonly answers: readonly ServerPhase[] }>> = {
  cold_start: {
    about: "an eleventh server that is five times as slow at first and warm after 10 s, and ten times as slow from 19 s to 23 s",
    answers: [{ latencyMs: warmingUp }, { fromMs: 19 * second, latencyMs: slower(10) }, { fromMs: 23 * second, latencyMs: slower(1) }],
  },
  slow_middle: {
    about: "an eleventh server that is ten times as slow from 15 s on",
    answers: [{ latencyMs: slower(1) }, { fromMs: 15 * second, latencyMs: slower(10) }],
  },
  temporary_failure: {
    about: "an eleventh server that fails everything from 10 s to 25 s",
    answers: [
      { latencyMs: slower(1) },
      { fromMs: 10 * second, latencyMs: slower(1), status: 500 },
      { fromMs: 25 * second, latencyMs: slower(1) },
    ],
  },
  permanent_failure: {
    about: "an eleventh server that fails everything from 10 s on",
    answers: [{ latencyMs: slower(1) }, { fromMs: 10 * second, latencyMs: slower(1), status: 500 }],
  },
};

/** Finagle's four cases; the column `special %` is the share of the eleventh server, of which an equal share would be 9.1 %. */
export const finagleCases: readonly Case[] = Object.entries(definitions).map(([name, { about, answers }]) => ({
  name: `finagle/${name}`,
  about,
  scenario: {
    servers: [
      { name: "stable", copies: 10, answers: { latencyMs: slower(1) } },
      { name: special, answers },
    ],
    arrivals: { ratePerSecond: 1_250, spacing: "uniform" },
    durationMs: 45 * second,
    requests: [{ method: "POST", keys: 1_000 }],
  },
  options: { retry: false, breaker: false },
  extra: ({ servers }: SimulationResult) => ({ "special %": 100 * (servers.find(({ name }) => name === special)?.share ?? 0) }),
}));
