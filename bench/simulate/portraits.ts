// npm run simulate -- --out docs/reference/pickers: pictures of each picker, in scenarios that show what it does.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Scenario, type SimulatedOptions, type SimulationResult, simulate, warmingLatency } from "../../src/testing/index.ts";
import { pickers } from "./pickers.ts";
import { type Chart, pictureOf } from "./svg.ts";

interface Portrait {
  readonly picker: string;
  readonly file: string;
  readonly about: string;
  readonly scenario: Pick<Scenario, "servers" | "arrivals"> & Partial<Scenario>;
  /** Drawn beside it in the lower chart. */
  readonly against?: string;
  /** What the lower chart shows: `shares` of the other picker, or the `share of` one server. @default "mean" */
  readonly shows?: "mean" | "success" | "shares" | `share of ${string}`;
  /** Options of the clients. @default neither retries nor breakers, so that the picture shows what the picker does by itself */
  readonly options?: Pick<SimulatedOptions, "retry" | "breaker">;
}

const durationMs = 60_000;
const poisson = { ratePerSecond: 300 };

/** Four servers, of which the third is ten times as slow from 20 s to 40 s. */
const slowMiddle: Portrait["scenario"] = {
  servers: [1, 2, 3, 4].map((index) => ({
    name: `server ${index}`,
    workers: 8,
    answers: [
      { latencyMs: { exponentialMs: 20 } },
      ...(index === 3
        ? [
            { fromMs: 20_000, latencyMs: { exponentialMs: 200 } },
            { fromMs: 40_000, latencyMs: { exponentialMs: 20 } },
          ]
        : []),
    ],
  })),
  arrivals: poisson,
};

/** Four servers, of which the third answers 500 at once from 20 s to 40 s. */
const failingFast: Portrait["scenario"] = {
  servers: [1, 2, 3, 4].map((index) => ({
    name: `server ${index}`,
    answers: [
      { latencyMs: { exponentialMs: 20 } },
      ...(index === 3
        ? [
            { fromMs: 20_000, latencyMs: 1, status: 500 },
            { fromMs: 40_000, latencyMs: { exponentialMs: 20 } },
          ]
        : []),
    ],
  })),
  arrivals: poisson,
};

/** Three equal servers with cold caches: each is faster the more it is called. */
const equals: Portrait["scenario"] = {
  servers: [1, 2, 3].map((index) => ({
    name: `server ${index}`,
    answers: { latencyMs: warmingLatency({ warmMs: 10, exponential: true }) },
  })),
  arrivals: { ratePerSecond: 30 },
};

/** Four servers, of which the third refuses every connection from 10 s to 20 s. */
const refusing: Portrait["scenario"] = {
  servers: [1, 2, 3, 4].map((index) => ({
    name: `server ${index}`,
    answers: [
      { latencyMs: { exponentialMs: 10 } },
      ...(index === 3
        ? [
            { fromMs: 10_000, fault: "refuse" as const },
            { fromMs: 20_000, latencyMs: { exponentialMs: 10 } },
          ]
        : []),
    ],
  })),
  arrivals: { ratePerSecond: 200 },
};

/** Four servers of one key space; the third leaves at 20 s, a fifth joins at 40 s. */
const leaving: Portrait["scenario"] = {
  servers: [
    { name: "server 1", answers: { latencyMs: 20 } },
    { name: "server 2", answers: { latencyMs: 20 } },
    { name: "server 3, leaves", answers: { latencyMs: 20 }, listedUntilMs: 20_000 },
    { name: "server 4", answers: { latencyMs: 20 } },
    { name: "server 5, joins", answers: { latencyMs: 20 }, listedFromMs: 40_000 },
  ],
  arrivals: poisson,
  requests: [{ keys: 10_000 }],
};

const unlike = (names: readonly string[], latencies: readonly number[], weights?: readonly number[]): Portrait["scenario"] => ({
  servers: names.map((name, index) => ({
    name,
    workers: 8,
    answers: { latencyMs: { exponentialMs: latencies[index] as number } },
    ...(weights && { weight: weights[index] as number }),
  })),
  arrivals: poisson,
});

/** Six servers at 85 % of what they can do together, half of them half as fast, and twenty clients that know little each. */
const crowded: Portrait["scenario"] = {
  servers: Array.from({ length: 6 }, (_, index) => ({
    name: index < 3 ? `fast ${index + 1}` : `slow ${index - 2}`,
    workers: 4,
    answers: { latencyMs: { exponentialMs: index < 3 ? 20 : 40 } },
  })),
  arrivals: { ratePerSecond: 0.85 * 900 },
  clients: 20,
};

const portraits: readonly Portrait[] = [
  {
    picker: "roundRobin",
    file: "round-robin.svg",
    about: "servers of 10, 20 and 40 ms: each gets a third, whatever it can do",
    scenario: unlike(["10 ms", "20 ms", "40 ms"], [10, 20, 40]),
    against: "leastRequest",
  },
  {
    picker: "random",
    file: "random.svg",
    about: "servers of 10, 20 and 40 ms: each gets a third, give or take chance",
    scenario: unlike(["10 ms", "20 ms", "40 ms"], [10, 20, 40]),
    against: "leastRequest",
  },
  {
    picker: "weighted",
    file: "weighted.svg",
    about: "weights 4, 2 and 1 for servers of 10, 20 and 40 ms",
    scenario: unlike(["10 ms, weight 4", "20 ms, weight 2", "40 ms, weight 1"], [10, 20, 40], [4, 2, 1]),
    against: "roundRobin",
  },
  {
    picker: "leastRequest",
    file: "least-request.svg",
    about: "server 3 is ten times as slow from 20 s to 40 s",
    scenario: slowMiddle,
    against: "roundRobin",
  },
  {
    picker: "peakEwma",
    file: "peak-ewma.svg",
    about: "server 3 is ten times as slow from 20 s to 40 s",
    scenario: slowMiddle,
    against: "roundRobin",
  },
  {
    picker: "adaptive",
    file: "adaptive.svg",
    about: "server 3 answers 500 at once from 20 s to 40 s",
    scenario: failingFast,
    against: "peakEwma",
    shows: "success",
  },
  {
    picker: "adaptive",
    file: "adaptive-equals.svg",
    about: "three equal servers, each faster the more it is called, 30 requests per second; below, the same with peakEwma",
    scenario: equals,
    against: "peakEwma",
    shows: "shares",
  },
  {
    picker: "adaptive",
    file: "adaptive-forgiveness.svg",
    about: "server 3 refuses connections from 10 s to 20 s; with retries, without breakers",
    scenario: refusing,
    against: "prequal",
    shows: "share of server 3",
    options: { breaker: false },
  },
  {
    picker: "ringHash",
    file: "ring-hash.svg",
    about: "a server leaves at 20 s and another joins at 40 s: only so many keys move",
    scenario: leaving,
  },
  {
    picker: "maglev",
    file: "maglev.svg",
    about: "a server leaves at 20 s and another joins at 40 s: only so many keys move",
    scenario: leaving,
  },
  {
    picker: "prequal",
    file: "prequal.svg",
    about: "85 % of what three fast and three slow servers can do, twenty clients",
    scenario: crowded,
    against: "leastRequest",
  },
];

/** Draws the pictures of the wanted pickers, or of all, into a folder. */
export async function drawPortraits(
  directory: string,
  wanted: readonly string[],
  seed: number,
  onProgress: (file: string) => void,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const { picker, file, about, scenario, against, shows = "mean", options } of portraits) {
    if (wanted.length > 0 && !wanted.includes(picker)) continue;
    onProgress(file);
    const own = await play(picker, scenario, seed, options);
    const other = against === undefined ? undefined : { name: against, result: await play(against, scenario, seed, options) };
    const charts = other === undefined ? [sharesOf(own)] : [sharesOf(own), comparisonOf(shows, { name: picker, result: own }, other)];
    writeFileSync(join(directory, file), pictureOf(picker, about, durationMs, charts));
  }
}

function play(
  picker: string,
  scenario: Portrait["scenario"],
  seed: number,
  more: Portrait["options"] = { retry: false, breaker: false },
): Promise<SimulationResult> {
  const make = pickers.get(picker);
  if (make === undefined) throw new Error(`no picker is called ${picker}`);
  const servers = picker === "prequal" ? scenario.servers.map((server) => ({ ...server, reportsLoad: true })) : scenario.servers;
  const options: Scenario["options"] = ({ random }) => ({ picker: make({ random }), ...more });
  return simulate({ ...scenario, servers, durationMs, timelineParts: 60, options, seed });
}

/** A picker, and what became of it. */
interface Played {
  readonly name: string;
  readonly result: SimulationResult;
}

/** The lower chart: one figure of both pickers, or the shares of the other one. */
function comparisonOf(shows: NonNullable<Portrait["shows"]>, own: Played, other: Played): Chart {
  if (shows === "shares") return { ...sharesOf(other.result), title: `share of the requests with ${other.name}` };
  const { title, unit, values, max } = figureOf(shows);
  const lines = [own, other].map(({ name, result }) => ({ name, values: values(result), isFaint: name === other.name }));
  return { title, kind: "lines", lines, unit, ...(max !== undefined && { max }) };
}

function figureOf(shows: Exclude<NonNullable<Portrait["shows"]>, "shares">): {
  readonly title: string;
  readonly unit: string;
  readonly max?: number;
  readonly values: (result: SimulationResult) => readonly number[];
} {
  if (shows === "mean")
    return { title: "mean time of a call", unit: " ms", values: ({ timeline }) => timeline.map(({ meanMs }) => meanMs) };
  if (shows === "success") {
    const ratio = ({ successes, requests }: { readonly successes: number; readonly requests: number }) =>
      (100 * successes) / Math.max(1, requests);
    return { title: "calls that succeed", unit: " %", max: 100, values: ({ timeline }) => timeline.map(ratio) };
  }
  const server = shows.slice("share of ".length);
  const values = (result: SimulationResult) => sharesOf(result).lines.find(({ name }) => name === server)?.values ?? [];
  return { title: shows, unit: " %", values };
}

function sharesOf({ servers, timeline }: SimulationResult): Chart {
  const shareAt = (index: number) =>
    timeline.map(
      ({ attempts }) =>
        (100 * (attempts[index] ?? 0)) /
        Math.max(
          1,
          attempts.reduce((sum, each) => sum + each, 0),
        ),
    );
  const lines = servers.map(({ name }, index) => ({ name, values: shareAt(index) }));
  return { title: "share of the requests", kind: "stack", lines, unit: " %", max: 100 };
}
