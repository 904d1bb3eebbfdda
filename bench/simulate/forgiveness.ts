// One of four servers is bad for a while, once or again and again: how soon it has its share back, and what the tries cost.
import type { ServerAnswer, ServerPhase, SimulationResult } from "../../src/testing/index.ts";
import { atLeast, atMost, type Bound } from "../report.ts";
import type { Case, Figures } from "./case.ts";

const second = 1_000;
const badFrom = 10 * second;
const badUntil = 20 * second;
const end = 120 * second;
const good: ServerAnswer = { latencyMs: { exponentialMs: 10 } };

const kinds: Readonly<Record<string, ServerAnswer>> = {
  slow30: { latencyMs: { exponentialMs: 300 } },
  slow2: { latencyMs: { exponentialMs: 20 } },
  fast500: { latencyMs: 1, status: 500 },
  fast503: { latencyMs: 1, status: 503 },
  hang: { fault: "hang" },
  refuse: { fault: "refuse" },
  reset: { latencyMs: 2, fault: "reset" },
};
const loads = [
  [200, 1],
  [50, 1],
  [600, 3],
  [400, 40],
] as const;

function phases(kind: string, onMs: number, offMs: number): readonly ServerPhase[] {
  const found: ServerPhase[] = [good];
  for (let from = badFrom; from < (offMs > 0 ? end - 10 * second : badUntil); from += onMs + offMs) {
    found.push({ fromMs: from, ...kinds[kind] }, { fromMs: from + onMs, ...good });
  }
  return found;
}

function caseOf(group: string, kind: string, method: string, rps: number, clients: number, onMs: number, offMs: number): Case {
  return {
    name: `${group}/${kind}_${method}_${rps}rps_${clients}${offMs > 0 ? `_${onMs / second}_${offMs / second}` : ""}`,
    about: `one of four servers ${kind}, ${offMs > 0 ? `${onMs / second} s bad and ${offMs / second} s good in turn` : "for 10 s"}; ${rps} ${method}s per second from ${clients} clients`,
    scenario: {
      servers: [
        { name: "was bad", workers: 20, answers: phases(kind, onMs, offMs) },
        { name: "good", copies: 3, workers: 20, answers: good },
      ],
      arrivals: { ratePerSecond: rps },
      durationMs: end,
      clients,
      requests: [{ path: "/", method }],
      timelineParts: 240,
    },
    options: { attemptTimeoutMs: 500 },
    isLarge: true,
  };
}

/** Seconds after the fault in which the server has this part of the requests of three seconds again. */
function backAfter({ timeline }: SimulationResult, part: number): number {
  for (const [index, { fromMs }] of timeline.entries()) {
    if (fromMs < badUntil) continue;
    const counts = timeline.slice(index, index + 6).map(({ attempts }) => attempts);
    const all = counts.flat().reduce((sum, count) => sum + count, 0);
    if (counts.reduce((sum, [first = 0]) => sum + first, 0) >= part * all) return (fromMs - badUntil) / second;
  }
  return end / second;
}

function successBounds(figures: ReadonlyMap<string, Figures>): readonly Bound[] {
  const adaptive = figures.get("adaptive");
  if (adaptive === undefined) return [];
  return ["peakEwma", "leastRequest"].flatMap((rival) => {
    const found = figures.get(rival);
    return found === undefined ? [] : [atLeast(`adaptive: success % (${rival})`, adaptive.successPercent, found.successPercent)];
  });
}

const failedColumn = "failed attempts per client";

function failedOf({ servers: [was] }: SimulationResult, clients: number): number {
  return ((was?.requests ?? 0) - (was?.successes ?? 0)) / clients;
}

function backCase(kind: string, method: string, rps: number, clients: number): Case {
  return {
    ...caseOf("back", kind, method, rps, clients, badUntil - badFrom, 0),
    extra: (result) => ({
      "half back, s": backAfter(result, 1 / 8),
      "full back, s": backAfter(result, 0.9 / 4),
      [failedColumn]: failedOf(result, clients),
    }),
    worst: ["half back, s", "full back, s", failedColumn],
    bounds: (figures) => {
      const probed = figures.get("prequal")?.extra["half back, s"];
      // Of one that was twice as slow the reports say little.
      const ofProbed =
        probed === undefined || kind === "slow2" || method === "POST"
          ? []
          : [atMost("prequal: seconds until half of the fair share is back", probed, 15)];
      const extra = figures.get("adaptive")?.extra;
      if (extra === undefined) return ofProbed;
      const isCostly = method === "POST" && !kind.startsWith("slow");
      return [
        atMost("adaptive: seconds until half of the fair share is back", extra["half back, s"] ?? end, 8),
        atMost("adaptive: seconds until the full share is back", extra["full back, s"] ?? end, 15),
        ...(isCostly ? [atMost("adaptive: failed attempts per client", extra[failedColumn] ?? end, 4)] : []),
        ...(method === "POST" ? successBounds(figures) : []),
        ...ofProbed,
      ];
    },
  };
}

function flapCase(kind: string, method: string, rps: number, clients: number, onMs: number, offMs: number): Case {
  return {
    ...caseOf("flap", kind, method, rps, clients, onMs, offMs),
    extra: (result) => ({ [failedColumn]: failedOf(result, clients) }),
    bounds: successBounds,
  };
}

const all = loads.flatMap(([rps, clients]) =>
  Object.keys(kinds).flatMap((kind) => ["GET", "POST"].map((method) => [kind, method, rps, clients] as const)),
);

/** With no more than two servers there are fewer than two answers to probes. */
const oneOfTwo: Case = {
  name: "back/one_of_two_hangs",
  about: "one of two servers hangs for ever, 50 GETs per second from 1 client, neither retries nor breakers",
  scenario: {
    servers: [
      { name: "hangs", answers: { fault: "hang" } },
      { name: "good", workers: 20, answers: good },
    ],
    arrivals: { ratePerSecond: 50 },
    durationMs: 60 * second,
  },
  options: { attemptTimeoutMs: 500, retry: false, breaker: false },
  isLarge: true,
  bounds: (figures) =>
    ["adaptive", "prequal"].flatMap((picker) => {
      const found = figures.get(picker);
      return found === undefined ? [] : [atLeast(`${picker}: success %`, found.successPercent, 99)];
    }),
};

/** A fault of ten seconds, and one of one server of two. Played when asked for. */
export const backCases: readonly Case[] = [...all.map((each) => backCase(...each)), oneOfTwo];

/** Faults that come and go. Played when asked for. */
export const flapCases: readonly Case[] = all.flatMap((each) => [
  flapCase(...each, 2 * second, 2 * second),
  flapCase(...each, second, 9 * second),
]);
