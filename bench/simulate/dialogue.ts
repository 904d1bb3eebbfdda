// palantir/dialogue's scenarios as inmesh plays them, beside what dialogue's report says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { aimd } from "../../src/index.ts";
import type { ServerAnswer, ServerPhase, SimulatedServer } from "../../src/testing/index.ts";
import { atLeast, atMost, type Bound } from "../report.ts";
import type { Case, Figures, Row } from "./case.ts";
import { type Definition, definitions } from "./dialogue-scenarios.ts";

interface Published {
  readonly source: string;
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, PublishedRow>>>>;
}

interface PublishedRow {
  readonly successPercent: number;
  readonly meanMs: number;
  readonly requests: number;
  readonly serverResponses: number;
}

const published = JSON.parse(readFileSync(join(import.meta.dirname, "dialogue-published.json"), "utf8")) as Published;

/** How dialogue's clients are set up in its simulation, as far as inmesh has it: four retries with a pause of up to 250 ms × 2ⁿ, no time limits. */
const dialogueOptions: Case["options"] = {
  retry: { maxAttempts: 5, baseDelayMs: 250, maxDelayMs: 2_000, budget: { ratio: 1, minRetriesPerSecond: 1e6 } },
  breaker: false,
  timeoutMs: false,
  attemptTimeoutMs: false,
};

/** Where good answers take longer than the default limits, which a user would have to raise. */
const patient: Case["options"] = { attemptTimeoutMs: 10_000, timeoutMs: 30_000 };

/**
 * dialogue repeats whatever was answered with 429 or 503, and GETs that were answered with 500. inmesh does neither, but it
 * repeats what a server has refused (`x-mesh-refused`) and GETs that were answered with 503: so the servers say that instead.
 */
function asRetried({ status = 200, ...answer }: ServerAnswer, isGet: boolean): ServerAnswer {
  const said = (real: number) => (real === 429 || (real === 500 && isGet) ? 503 : real);
  const headers = { "x-mesh-refused": "1" };
  return { ...answer, headers, status: typeof status === "function" ? (moment) => said(status(moment)) : said(status) };
}

function caseOf(name: string, definition: Definition, isComparable: boolean): Case {
  const {
    about,
    ratePerSecond,
    sendMs,
    untilMs,
    clients = 10,
    requests = [{ method: "POST" }],
    listedFromMs = {},
    isSlow = false,
  } = definition;
  const isGet = requests.some(({ method }) => method === "GET");
  const translated = (phase: ServerPhase): ServerPhase => ({
    ...phase,
    ...(isComparable ? asRetried(phase, isGet) : undefined),
  });
  const servers = Object.entries(definition.servers).map(
    ([id, phases]): SimulatedServer => ({ name: id, answers: phases.map(translated), listedFromMs: listedFromMs[id] ?? 0 }),
  );
  return {
    name: `${isComparable ? "dialogue" : "dialogue-defaults"}/${name}`,
    about: isSlow && !isComparable ? `${about}; attemptTimeoutMs 10 s, timeoutMs 30 s` : about,
    scenario: {
      servers,
      arrivals: { ratePerSecond, spacing: "uniform" },
      durationMs: sendMs,
      drainMs: untilMs - sendMs,
      clients,
      requests: requests.map((request) => ({ ...request, keys: 1_000 })),
      isSuccess: (status) => status === 200,
    },
    options: isComparable ? dialogueOptions : isSlow ? patient : {},
    published: publishedRows(name),
    ...(isComparable && { bounds: (figures: ReadonlyMap<string, Figures>) => boundsOf(name, figures.get("adaptive")) }),
  };
}

function publishedRows(name: string): readonly Row[] {
  return Object.entries(published.scenarios[name] ?? {}).map(([strategy, { successPercent, meanMs, requests, serverResponses }]) => ({
    name: `dialogue ${strategy}`,
    figures: { successPercent, meanMs, attempts: serverResponses / requests },
  }));
}

/** Those in which a limit of concurrency decides, which these runs have not: no bound is set there. */
const unbound: ReadonlySet<string> = new Set([
  "slowdown_and_error_thresholds",
  ...Object.keys(definitions).filter((name) => name.startsWith("server_side_rate_limits")),
]);
const floors: Readonly<Record<string, number>> = {
  fast_400s_then_revert: 99,
  black_hole: 95,
  one_endpoint_dies_on_each_server: 96,
  live_reloading: 95,
};

function boundsOf(name: string, adaptive: Figures | undefined): readonly Bound[] {
  const rival = published.scenarios[name]?.["UNLIMITED_ROUND_ROBIN"];
  if (adaptive === undefined || rival === undefined || unbound.has(name)) return [];
  const bounds = [
    atLeast(
      `adaptive: success % (dialogue UNLIMITED_ROUND_ROBIN ${rival.successPercent})`,
      adaptive.successPercent,
      rival.successPercent - 0.1,
    ),
  ];
  // Who answers more requests may take longer for it.
  if (Math.abs(adaptive.successPercent - rival.successPercent) <= 0.1)
    bounds.push(atMost(`adaptive: mean in ms (dialogue UNLIMITED_ROUND_ROBIN ${rival.meanMs})`, adaptive.meanMs, 1.02 * rival.meanMs));
  const floor = floors[name];
  if (floor !== undefined) bounds.push(atLeast("adaptive: success %", adaptive.successPercent, floor));
  return bounds;
}

/** Clients that find out themselves how much the servers can do, and let the rest wait for as long as it takes, as dialogue's limiter does. */
const limited: Case["options"] = {
  ...dialogueOptions,
  concurrency: { maxInFlight: aimd({ min: 1, max: 1_000, backoffRatio: 0.7 }), maxQueued: 100_000, queueTimeoutMs: 3_600_000 },
};

/** Where a limit of concurrency decides: the same with one. */
function limitedCaseOf(name: string, definition: Definition): Case {
  const bound = (figures: ReadonlyMap<string, Figures>): readonly Bound[] => {
    const adaptive = figures.get("adaptive");
    const rival = published.scenarios[name]?.["CONCURRENCY_LIMITER_ROUND_ROBIN"];
    if (adaptive === undefined || rival === undefined) return [];
    return [
      atLeast(
        `adaptive with a limit: success % (dialogue's limiter ${rival.successPercent})`,
        adaptive.successPercent,
        rival.successPercent - 0.1,
      ),
    ];
  };
  return {
    ...caseOf(name, definition, true),
    name: `dialogue-limited/${name}`,
    options: limited,
    pickers: ["roundRobin", "adaptive"],
    bounds: bound,
  };
}

const limitedNames = ["slowdown_and_error_thresholds", "server_side_rate_limits_with_sticky_clients_steady_vs_bursty_client"];

/** dialogue's scenarios under the conditions of its report, with inmesh's own defaults, and some with a limit of concurrency. */
export const dialogueCases: readonly Case[] = [
  ...[true, false].flatMap((isComparable) =>
    Object.entries(definitions).map(([name, definition]) => caseOf(name, definition, isComparable)),
  ),
  ...Object.entries(definitions)
    .filter(([name]) => limitedNames.includes(name))
    .map(([name, definition]) => limitedCaseOf(name, definition)),
];
