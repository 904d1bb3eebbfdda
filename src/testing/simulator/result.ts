/** The result of {@link simulate}: plain data, so that its JSON can be stored and compared. */
export interface SimulationResult {
  readonly name: string;
  readonly seed: number;
  /** Number of calls. */
  readonly requests: number;
  /** Number of calls that ended with a successful status. */
  readonly successes: number;
  /** `successes` / `requests`, 0 to 1. */
  readonly successRatio: number;
  /** Mean and quantiles of the durations of all calls that ended, successful or not, in milliseconds. */
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Durations of the successful calls alone: fast failures make the figures above look better. */
  readonly ofSuccesses: LatencySummary;
  /** Attempts per call that ended. */
  readonly attemptsPerRequest: number;
  /** Number of calls by status or error code; `unanswered`: calls that had not ended when the simulation did. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** In the scenario's order. */
  readonly servers: readonly ServerSummary[];
  /** Requests of the server with the most, as a multiple of the mean. */
  readonly imbalance: number;
  /** Calls by the time at which they began. */
  readonly timeline: readonly TimelinePart[];
}

/** Durations of calls in milliseconds; 0 when there were none. */
export interface LatencySummary {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

/** The attempts at one server. */
export interface ServerSummary {
  readonly name: string;
  /** Number of attempts, refused connections included. */
  readonly requests: number;
  /** Share of the attempts at all servers, 0 to 1. */
  readonly share: number;
  /** Number of attempts that it answered with a status below 400. */
  readonly successes: number;
  readonly maxInFlight: number;
  /** Number of clients that sent it a request: it has at least as many connections. */
  readonly connections: number;
}

/** One of the equal parts of the time in which calls arrive. */
export interface TimelinePart {
  readonly fromMs: number;
  /** Calls that began in this part, and those of them that succeeded. */
  readonly requests: number;
  readonly successes: number;
  /** Mean duration of those that ended, in milliseconds. */
  readonly meanMs: number;
  /** Attempts at each server in this part, in the scenario's order. */
  readonly attempts: readonly number[];
}
