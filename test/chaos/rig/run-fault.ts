import { agreement } from "./agreement.ts";
import { atMost, exactly, forgiven, holds } from "./claims.ts";
import type { Claim, Fault, Need, Outcome } from "./fault.ts";
import { now, pause } from "./now.ts";
import { type Figures, reconcile } from "./reconcile.ts";
import type { ProcessFigures } from "./records.ts";
import { isOfLoad, World } from "./world.ts";

/** How a row is run. */
export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  /** All clients together. */
  readonly rps: number;
  readonly clients: number;
  /** The Node of the children; this process's own unless told otherwise. */
  readonly node?: string | undefined;
  /** Whether something that a row needs is there. */
  readonly has: (need: Need) => boolean;
}

/** What became of a row. */
export interface Result {
  readonly fault: Fault;
  readonly status: "pass" | "fail" | "unavailable";
  /** Why it is unavailable, or has no figures. */
  readonly reason?: string;
  readonly figures?: Figures;
  readonly outcome?: Outcome;
  readonly seconds: number;
  readonly rps: number;
  readonly broken: readonly Claim[];
  readonly claims: readonly Claim[];
}

/** A run in which a client stood still for longer measured the machine and not the mesh. */
const worthlessLagMs = 400;
const maxRuns = 3;

/** Runs one row; once more where it failed while the machine had no time for the clients. `onAgain` is told of that. */
export async function runFault(fault: Fault, options: RunOptions, onAgain: (result: Result) => void = () => {}): Promise<Result> {
  for (let run = 1; ; run++) {
    const result = await runOnce(fault, options);
    const isWorthless = result.status === "fail" && (result.outcome?.lagMs ?? 0) > worthlessLagMs;
    if (!isWorthless || run === maxRuns) return result;
    onAgain(result);
  }
}

/** From an empty world to an empty world. */
async function runOnce(fault: Fault, options: RunOptions): Promise<Result> {
  const seconds = Math.max(options.seconds, fault.minSeconds ?? 0);
  const rps = Math.min(options.rps, fault.maxRps ?? options.rps);
  const missing = fault.needs?.find((need) => !options.has(need));
  const empty = { fault, seconds, rps, broken: [], claims: [] };
  if (missing !== undefined) return { ...empty, status: "unavailable", reason: `no ${missing} on this machine` };
  const world = await World.create(options.seed, options.node);
  let result: Result;
  try {
    result = await load(fault, world, { ...options, seconds, rps });
  } catch (error) {
    result = { ...empty, status: "fail", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    await world[Symbol.asyncDispose]();
  }
  const left = world.leftovers();
  if (left.length === 0) return result;
  const claim = holds(`left behind: ${left.join(", ")}, must be nothing`, false);
  return { ...result, status: "fail", broken: [...result.broken, claim] };
}

async function load(fault: Fault, world: World, { seconds, rps, clients: count }: RunOptions): Promise<Result> {
  const row = await fault.begin(world);
  await world.startClients(fault.clients ?? count, rps);
  const before = await measured(world);
  const startedAt = now();
  for (const client of world.clients) client.start();
  const untilPart = (part: number) => pause(startedAt + part * seconds * 1_000 - now());

  await untilPart(fault.from ?? 0.25);
  const injectedAt = now();
  await row.inject();
  let healedAt: number | undefined;
  if (row.heal !== undefined) {
    await untilPart(fault.to ?? 0.6);
    await row.heal();
    healedAt = now();
  }
  // A heal that took its time leaves as much load behind it as one that did not.
  await untilPart(Math.max(1, 1 + ((healedAt ?? 0) - startedAt) / (seconds * 1_000) - (fault.to ?? 0.6)));
  const endedAt = now();
  const reports = await Promise.all(world.clients.map((client) => client.report()));
  const after = await measured(world);

  const ledger = reports.flatMap((report) => report.ledger);
  // What a client does beside its load is no part of the ledger.
  const attempts = reports.flatMap((report) => report.attempts).filter(({ id }) => isOfLoad(id));
  const events = reports.flatMap((report) => report.events);
  const metrics = reports.flatMap((report) => report.metrics ?? []);
  const lagMs = Math.max(...reports.map((report) => report.lagMs));
  const journal = world.journal();
  const figures = reconcile({ ledger, journal, attempts, injectedAt, healedAt, endedAt, faulty: world.faulty });
  const outcome: Outcome = {
    figures,
    ledger,
    journal,
    attempts,
    events,
    metrics,
    injectedAt,
    healedAt,
    seconds,
    rps,
    before,
    after,
    lagMs,
  };
  const unhandled = reports.flatMap((report) => report.unhandled);
  const { sender = "mesh", hasMetrics = true } = world.load;
  const agreed = sender === "mesh" && hasMetrics ? agreement(outcome) : [];
  const claims = [...standing(figures, fault, seconds, unhandled), ...agreed, ...row.expect(outcome)].map((claim) =>
    forgiven(claim, lagMs),
  );
  const broken = claims.filter((claim) => !claim.holds);
  return { fault, status: broken.length === 0 ? "pass" : "fail", figures, outcome, seconds, rps, broken, claims };
}

/** What holds of every row. */
function standing(figures: Figures, fault: Fault, seconds: number, unhandled: readonly string[]): readonly Claim[] {
  // The retry budget: a fifth of the requests, and ten a second over its window of ten.
  const allowed = 1.2 + (10 * Math.max(10, seconds)) / Math.max(1, figures.sent) + (fault.extraAttempts ?? 0);
  return [
    exactly("lost", figures.lost, 0),
    exactly("duplicated", figures.duplicated, 0),
    exactly("falsesafe", figures.falsesafe, 0),
    exactly("mismatched", figures.mismatched, 0),
    exactly("truncated", figures.truncated, 0),
    exactly("phantom", figures.phantom, 0),
    exactly("attempts that the client counted and no server saw", figures.unseen, 0),
    atMost("attempts per request", figures.attemptsPerRequest, allowed),
    exactly(`unhandled${unhandled.length === 0 ? "" : ` (${unhandled[0]})`}`, unhandled.length, 0),
    holds(`sent: ${figures.sent}, must be some`, figures.sent > 0),
  ];
}

async function measured(world: World): Promise<ProcessFigures> {
  const all = await Promise.all(world.clients.map((client) => client.measure()));
  const sum = (key: keyof ProcessFigures) => all.reduce((total, figures) => total + figures[key], 0);
  return { heapMb: sum("heapMb"), rssMb: sum("rssMb"), fds: sum("fds"), cpuMs: sum("cpuMs") };
}
