import type { ConcurrencyReading, ServiceReading } from "../core/observing/reading.ts";
import type { InstanceState } from "../core/upstream.ts";

// What the admin server writes as JSON, and what the page and `inmesh stat` read: plain data, `null` for what is not known. A change that
// readers of today would trip over raises `version`.

/** Quantiles of the last minute, in milliseconds. */
export interface LatencyReading {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Shares of the last minute, 0 to 1; `null` without a call or an attempt. */
export interface SuccessReading {
  /** Of the calls: what the callers saw. */
  readonly effective: number | null;
  /** Of the attempts: what the instances gave, before retries and hedges made good for it. */
  readonly actual: number | null;
}

/** How many of the endpoints are called over TLS. */
export type Secured = "all" | "some" | "none";

/** An instance in {@link ServiceRow.instances}. */
export interface InstanceReading {
  readonly id: string;
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  readonly state: InstanceState;
  readonly secure: boolean;
  /** Attempts that ended, a second, over about the last ten seconds. */
  readonly rps: number;
  /** Share of the attempts that succeeded over about the last minute, 0 to 1; `null` without one. */
  readonly success: number | null;
}

/** One service in {@link MeshSnapshot}: its reading, and what was counted of it. */
export interface ServiceRow extends Omit<ServiceReading, "discoveryAgeMs" | "concurrency"> {
  /** Milliseconds since discovery last confirmed the endpoints; `null` when it never has. */
  readonly discoveryAgeMs: number | null;
  /** `null` without a limit. */
  readonly concurrency: ConcurrencyReading | null;
  /** Calls that ended, a second, over the last ten seconds. */
  readonly rps: number;
  /** Attempts that ended, a second, over the last ten seconds. */
  readonly attemptsPerS: number;
  /** Retries made, a second, over the last ten seconds. */
  readonly retriesPerS: number;
  /** Hedges sent, a second, over the last ten seconds. */
  readonly hedgesPerS: number;
  /** Over the last minute. */
  readonly success: SuccessReading;
  /** Time of a call to its response head, over the last minute; `null` without one. */
  readonly latencyMs: LatencyReading | null;
  readonly secured: Secured;
  /** Each instance of a service that has at most eight; `null` when it has more. */
  readonly instances: readonly InstanceReading[] | null;
  /** Where the operator's own dashboard of this service is (`dashboardUrl`); `null` without one. */
  readonly dashboardUrl: string | null;
}

/** The process that a snapshot is of. */
export interface ProcessReading {
  readonly pid: number;
  /** Version of Node.js. */
  readonly node: string;
  /** Seconds since it began. */
  readonly uptimeS: number;
  /** Its zone; `null` without one. */
  readonly zone: string | null;
  /** When its client certificate ends, in milliseconds since the epoch; `null` without one. */
  readonly certificateExpiresAtMs: number | null;
}

/** What `GET /api/mesh` answers, and every event of `GET /api/events` carries. */
export interface MeshSnapshot {
  readonly version: 1;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly process: ProcessReading;
  /** In the order of their names. */
  readonly services: readonly ServiceRow[];
}

/** Why an endpoint is out of rotation. */
export interface EjectionReading {
  readonly rule: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When its pause ends, in milliseconds since the epoch; `null` when it waits for a probe or for a health check that passes. */
  readonly untilMs: number | null;
}

/** The last active health check of an endpoint. */
export interface HealthCheckReading {
  readonly passed: boolean;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly durationMs: number;
  /** What went wrong; `null` when it passed. */
  readonly error: string | null;
}

/** One endpoint in {@link ServiceSnapshot}. */
export interface EndpointRow extends InstanceReading {
  readonly zone: string | null;
  readonly priority: number;
  readonly weight: number;
  /** `true` when the picker chooses from it now. */
  readonly candidate: boolean;
  /** Why it is, or is not. */
  readonly reason: string;
  /** What is odd about it; `null` when nothing is. */
  readonly warning: string | null;
  /** The share of the requests that its priority and zone are given, 0 to 1; `null` for no candidate. */
  readonly share: number | null;
  readonly ejection: EjectionReading | null;
  /** How often it has been taken out. */
  readonly ejections: number;
  readonly healthCheck: HealthCheckReading | null;
  readonly inFlight: number;
  /** Attempts since it was first seen. */
  readonly requests: number;
  /** Those that failed, since it was first seen. */
  readonly failures: number;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
}

/** One attempt of a {@link RecentError}. */
export interface AttemptReading {
  /** `null` when none had been picked. */
  readonly endpoint: string | null;
  readonly phase: "pick" | "connect" | "headers" | "body";
  readonly ms: number;
  /** The code of its error; `null` when it had none. */
  readonly code: string | null;
  /** Its HTTP status; `null` without a response head. */
  readonly status: number | null;
}

/** A call that failed: it rejected, or was answered with a server error. */
export interface RecentError {
  /** Counts up, service by service. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The code of the error; `null` for a response. */
  readonly code: string | null;
  readonly message: string;
  /** The HTTP status of a response; `null` for an error. */
  readonly status: number | null;
  /** `false` when certainly no instance has executed it. */
  readonly maybeExecuted: boolean;
  readonly attempts: readonly AttemptReading[];
}

/** What a second of a service was, oldest first in {@link ServiceSnapshot}. */
export interface SecondReading {
  /** Seconds since the epoch. */
  readonly atS: number;
  readonly calls: number;
  /** Calls that failed. */
  readonly failures: number;
  readonly attempts: number;
  /** Attempts that failed. */
  readonly attemptFailures: number;
  readonly retries: number;
  readonly hedges: number;
  /** Of the calls of this second; `null` without one. */
  readonly latencyMs: LatencyReading | null;
}

/**
 * What `GET /api/services/NAME` answers. `?state=STATE`, `?find=TEXT` (in id, address, zone or reason), `?offset=N` and `?limit=N` choose
 * endpoints, `?since=SECOND` the seconds after that one.
 */
export interface ServiceSnapshot extends ServiceRow {
  readonly version: 1;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** What is asked for endpoints. */
  readonly discovery: string;
  /** Why the newest data is not newer; `null` when nothing is wrong. */
  readonly discoveryError: string | null;
  /** Those that were asked for: who is out first, then as discovery lists them. */
  readonly endpointRows: readonly EndpointRow[];
  /** How many there are by `state` and `find`, whatever `offset` and `limit`. */
  readonly endpointsFound: number;
  /** Whether `POST` may take instances out and put them back: a token is configured. */
  readonly canChange: boolean;
  /** The last 50, the newest first. */
  readonly errors: readonly RecentError[];
  /** The last two minutes, without the one that is under way; a second of which nothing is known is left out. */
  readonly seconds: readonly SecondReading[];
}
