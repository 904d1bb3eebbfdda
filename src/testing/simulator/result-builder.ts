import type { LatencySummary, SimulationResult, TimelinePart } from "./result.ts";
import type { Server } from "./server.ts";

/** Counts of one part of the timeline. */
interface Part {
  requests: number;
  successes: number;
  ended: number;
  sumMs: number;
  readonly attempts: Uint32Array;
}

/** Dimensions of a {@link ResultBuilder}. */
export interface ResultBuilderOptions {
  readonly servers: readonly Server[];
  readonly clients: number;
  readonly durationMs: number;
  readonly timelineParts: number;
}

/** Counts calls and attempts of a simulation and summarizes them. */
export class ResultBuilder {
  /** Calls that have begun. */
  requests = 0;
  /** Calls that have ended. */
  ended = 0;
  readonly #options: ResultBuilderOptions;
  readonly #partMs: number;
  readonly #parts: readonly Part[];
  readonly #indexes: ReadonlyMap<Server, number>;
  readonly #connections: readonly Set<number>[];
  readonly #outcomes = new Map<string, number>();
  readonly #allMs: number[] = [];
  readonly #successesMs: number[] = [];
  #attempts = 0;

  constructor(options: ResultBuilderOptions) {
    const { servers, durationMs, timelineParts } = options;
    this.#options = options;
    this.#partMs = durationMs / Math.max(1, timelineParts);
    this.#parts = Array.from({ length: timelineParts }, () => ({
      requests: 0,
      successes: 0,
      ended: 0,
      sumMs: 0,
      attempts: new Uint32Array(servers.length),
    }));
    this.#indexes = new Map(servers.map((server, index) => [server, index]));
    this.#connections = servers.map(() => new Set());
  }

  /** A call begins. */
  onCall(atMs: number): void {
    this.requests++;
    const part = this.#partAt(atMs);
    if (part !== undefined) part.requests++;
  }

  /** An attempt of the client with this index is sent to a server. */
  onAttempt(client: number, server: Server, atMs: number): void {
    const index = this.#indexes.get(server) as number;
    this.#connections[index]?.add(client);
    const attempts = this.#partAt(atMs)?.attempts;
    if (attempts !== undefined) attempts[index] = (attempts[index] as number) + 1;
  }

  /** A call that began at `atMs` has ended. */
  onEnd(atMs: number, ms: number, outcome: string, isSuccess: boolean, attempts: number): void {
    this.ended++;
    this.#attempts += attempts;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#allMs.push(ms);
    if (isSuccess) this.#successesMs.push(ms);
    const part = this.#partAt(atMs);
    if (part === undefined) return;
    part.ended++;
    part.sumMs += ms;
    if (isSuccess) part.successes++;
  }

  /** The result of everything counted so far. */
  result(name: string, seed: number): SimulationResult {
    const { servers } = this.#options;
    const arrived = servers.reduce((sum, { requests }) => sum + requests, 0);
    const most = servers.reduce((largest, { requests }) => Math.max(largest, requests), 0);
    const outcomes = new Map(this.#outcomes);
    if (this.requests > this.ended) outcomes.set("unanswered", this.requests - this.ended);
    return {
      name,
      seed,
      requests: this.requests,
      successes: this.#successesMs.length,
      successRatio: ratio(this.#successesMs.length, this.requests),
      ...summaryOf(this.#allMs),
      ofSuccesses: summaryOf(this.#successesMs),
      attemptsPerRequest: ratio(this.#attempts, this.ended),
      outcomes: Object.fromEntries([...outcomes].sort(([one], [other]) => (one < other ? -1 : 1))),
      servers: servers.map(({ name: id, requests, successes, maxInFlight }, index) => ({
        name: id,
        requests,
        share: ratio(requests, arrived),
        successes,
        maxInFlight,
        connections: this.#connections[index]?.size ?? 0,
      })),
      imbalance: ratio(most * servers.length, arrived),
      timeline: this.#parts.map(
        (part, index): TimelinePart => ({
          fromMs: index * this.#partMs,
          requests: part.requests,
          successes: part.successes,
          meanMs: ratio(part.sumMs, part.ended),
          attempts: [...part.attempts],
        }),
      ),
    };
  }

  #partAt(atMs: number): Part | undefined {
    return this.#parts[Math.floor(atMs / this.#partMs)];
  }
}

function summaryOf(times: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(times).sort();
  const sum = sorted.reduce((total, ms) => total + ms, 0);
  return { meanMs: ratio(sum, sorted.length), p50Ms: atRank(sorted, 0.5), p99Ms: atRank(sorted, 0.99), p999Ms: atRank(sorted, 0.999) };
}

/** A quantile of sorted values by the nearest-rank method; 0 when there are none. */
function atRank(sorted: Float64Array, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
