// Equal servers, and some that are a little slower: how evenly a picker spreads requests in windows of half a minute.
import { type Latency, type SimulatedServer, type SimulationResult, warmingLatency } from "../../src/testing/index.ts";
import { atMost } from "../report.ts";
import type { Case } from "./case.ts";

const second = 1_000;
const windows = 4;
/** Parts of the timeline in a window; the first part is left out. */
const partsPerWindow = 3;

const latencies: Readonly<Record<string, () => Latency>> = {
  exponential: () => ({ exponentialMs: 10 }),
  "log-normal":
    () =>
    ({ random }) =>
      10 * Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) - 0.5),
  constant: () => 10,
  warming: () => warmingLatency({ warmMs: 10 }),
  "warming exponential": () => warmingLatency({ warmMs: 10, exponential: true }),
};

/** The requests of the busiest and of the idlest server as multiples of the mean, in each window of half a minute from 10 s on. */
function windowsOf({
  timeline,
  servers,
}: SimulationResult): readonly { readonly busiest: number; readonly least: number; readonly mean: number }[] {
  return Array.from({ length: windows }, (_, window) => {
    const parts = timeline.slice(1 + window * partsPerWindow, 1 + (window + 1) * partsPerWindow);
    const counts = servers.map((_server, index) => parts.reduce((sum, { attempts }) => sum + (attempts[index] ?? 0), 0));
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return { busiest: Math.max(...counts) / mean, least: Math.min(...counts) / mean, mean };
  });
}

/** The bounds of a window: fixed where there are many requests, else what chance allows the largest and smallest of equal cells in 99.9 %. */
function isOutside(busiest: number, least: number, mean: number, count: number): boolean {
  if (mean >= 300) return busiest > 1.25 || least < 0.8;
  const deviation = (3.1 + 0.3 * Math.log10(count)) / Math.sqrt(mean);
  return busiest > 1 + Math.max(0.25, deviation + 0.2 / Math.sqrt(mean) + 1.5 / mean) || least < 1 - Math.max(0.2, deviation);
}

function equalCase(count: number, latency: string, ratePerSecond: number, clients: number): Case {
  const servers = Array.from(
    { length: count },
    (_, index): SimulatedServer => ({ name: `s${index + 1}`, answers: { latencyMs: (latencies[latency] as () => Latency)() } }),
  );
  return {
    name: `equals/${count}_${latency.replace(/\W/g, "_")}_${ratePerSecond}rps_${clients}`,
    about: `${count} equal servers of ${latency} latency, ${ratePerSecond} requests per second from ${clients} clients`,
    scenario: { servers, arrivals: { ratePerSecond }, durationMs: 130 * second, clients, timelineParts: 13 },
    options: {},
    isLarge: true,
    extra: (result) => {
      const found = windowsOf(result);
      return {
        "busiest ×": Math.max(...found.map(({ busiest }) => busiest)),
        "least ×": Math.min(...found.map(({ least }) => least)),
        "windows outside": found.filter(({ busiest, least, mean }) => isOutside(busiest, least, mean, count)).length,
      };
    },
    worst: ["busiest ×", "windows outside"],
    bounds: (figures) => {
      const outside = figures.get("adaptive")?.extra["windows outside"];
      return outside === undefined ? [] : [atMost("adaptive: windows in which equals are not even", outside, 0)];
    },
  };
}

const sets: readonly (readonly number[])[] = [
  [1, 1.2, 1.5],
  [1, 1, 1, 1.2, 1.5],
  [1, 2],
];

function slowerCase(latency: string, factors: readonly number[], ratePerSecond: number, clients: number): Case {
  const answer = (factor: number): Latency => {
    const base = (latencies[latency] as () => Latency)();
    return typeof base === "number" ? factor * base : { exponentialMs: 10 * factor };
  };
  return {
    name: `equals/slower_${factors.join("_")}_${latency}_${ratePerSecond}rps_${clients}`,
    about: `${latency} latencies of ${factors.map((factor) => `${10 * factor} ms`).join(", ")}, ${ratePerSecond} requests per second from ${clients} clients`,
    scenario: {
      servers: factors.map((factor, index) => ({ name: `s${index + 1}`, workers: 20, answers: { latencyMs: answer(factor) } })),
      arrivals: { ratePerSecond },
      durationMs: 90 * second,
      clients,
      timelineParts: 9,
    },
    options: {},
    isLarge: true,
    extra: ({ servers }) => ({
      "least share × fair": factors.length * Math.min(...servers.filter((_, index) => (factors[index] ?? 1) < 2).map(({ share }) => share)),
    }),
    bounds: (figures) => {
      const adaptive = figures.get("adaptive");
      if (adaptive === undefined) return [];
      const best = Math.min(...[...figures.values()].map(({ meanMs }) => meanMs));
      return [
        atMost("adaptive: mean × the best picker's", adaptive.meanMs / best, 1.1),
        atMost("adaptive: a fair share × the least of those within twice the fastest", 1 / (adaptive.extra["least share × fair"] ?? 0), 4),
      ];
    },
  };
}

/** Equal servers, servers that are faster the more they are called, and some that are a little slower. Played when asked for. */
export const equalsCases: readonly Case[] = [
  ...[3, 10, 50].flatMap((count) =>
    Object.keys(latencies).flatMap((latency) =>
      [5, 50, 500].flatMap((rate) => [1, 3, 40].map((clients) => equalCase(count, latency, rate, clients))),
    ),
  ),
  ...["exponential", "constant"].flatMap((latency) =>
    sets.flatMap((set) =>
      (
        [
          [10, 1],
          [150, 3],
          [600, 40],
        ] as const
      ).map(([rate, clients]) => slowerCase(latency, set, rate, clients)),
    ),
  ),
];
