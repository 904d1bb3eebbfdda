/** What {@link simulate} found. It holds data only, so that `JSON.stringify` of it can be kept and compared. */
export interface SimulationResult {
  readonly name: string;
  readonly seed: number;
  /** Calls that were made. */
  readonly requests: number;
  /** Calls that ended with a status that is a success. */
  readonly successes: number;
  /** `successes` of `requests`, 0–1. */
  readonly successRatio: number;
  /** Of all calls that ended, whichever way. */
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The same of the successes alone: who fails fast looks fast in the other figures. */
  readonly ofSuccesses: LatencySummary;
  /** Attempts that were made, by the records of the calls that ended. */
  readonly attemptsPerRequest: number;
  /** How calls ended: by status or error code, and `unanswered`. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** In the scenario's order. */
  readonly servers: readonly ServerSummary[];
  /** Requests of the server that got most, as a multiple of the mean of all. */
  readonly imbalance: number;
  /** Calls by the time at which they began. */
  readonly timeline: readonly TimelinePart[];
}

/** How long calls took, in milliseconds; 0 when there were none. */
export interface LatencySummary {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** What came to one server. */
export interface ServerSummary {
  readonly name: string;
  /** Attempts that came, connections that it refused among them. */
  readonly requests: number;
  /** Of the attempts of all servers, 0–1. */
  readonly share: number;
  /** Attempts that it answered with a status below 400. */
  readonly successes: number;
  readonly maxInFlight: number;
  /** Clients that sent it something: so many connections it has at least. */
  readonly connections: number;
}

/** A part of the time. */
export interface TimelinePart {
  readonly fromMs: number;
  readonly requests: number;
  readonly successes: number;
  /** Of those that ended, in milliseconds. */
  readonly meanMs: number;
  /** Attempts that came to each server in that time, in the scenario's order. */
  readonly attempts: readonly number[];
}
