import type { LeftOutCount } from "../core/left-out.ts";
import type { IdentityState } from "../core/observing/identity-reading.ts";
import type { ConcurrencyReading, RegistrationReading, RegistryState, ServerReading, ServiceReading } from "../core/observing/reading.ts";
import type { InstanceState } from "../core/upstream.ts";
import type { CanaryRow } from "./routes/canary-row.ts";
import type { ConfigurationRow } from "./routes/configuration-row.ts";
import type { RouteRow } from "./routes/route-tallies.ts";

// The JSON of the admin server, which the page and `inmesh stat` read: plain data, `null` for unknown values. An incompatible change raises
// `version`.

/** Quantiles of the last minute, in milliseconds. */
export interface LatencyReading {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Shares of the last minute, 0 to 1; `null` without a call or an attempt. */
export interface SuccessReading {
  /** Share of the calls: success as the callers saw it. */
  readonly effective: number | null;
  /** Share of the attempts: success of the instances, before retries and hedges made up for failures. */
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
  /** Why the picker avoids it, and when it is tried next; `null` while it does not. */
  readonly avoided: string | null;
  readonly secure: boolean;
  /** Attempts that ended, per second, over about the last ten seconds. */
  readonly rps: number;
  /** Share of the attempts that succeeded over about the last minute, 0 to 1; `null` without one. */
  readonly success: number | null;
}

/** The source of a service's endpoints. */
export interface RegistryRow {
  /** The kind of source and its address. */
  readonly source: string;
  readonly state: RegistryState;
  /** Milliseconds since the first failure after its last answer; `null` where it does not fail. */
  readonly failingMs: number | null;
  /** Its last error; `null` where it does not fail. */
  readonly error: string | null;
}

/** The state of the registry for the whole process, by the worst of its services. */
export interface RegistrySummary {
  readonly state: RegistryState;
  /** Number of services whose source is in that state. */
  readonly services: number;
  /** A sentence for people, such as `registry OK`. */
  readonly text: string;
}

/** One service in {@link MeshSnapshot}: its reading, and its recorded rates. */
export interface ServiceRow extends Omit<ServiceReading, "discoveryAgeMs" | "registry" | "concurrency"> {
  /** Milliseconds since discovery last confirmed the endpoints; `null` when it never has. */
  readonly discoveryAgeMs: number | null;
  /** The state of the source of its endpoints. */
  readonly registry: RegistryRow;
  /** `null` without a limit. */
  readonly concurrency: ConcurrencyReading | null;
  /** Calls that ended, per second, over the last ten seconds. */
  readonly rps: number;
  /** Attempts that ended, per second, over the last ten seconds. */
  readonly attemptsPerS: number;
  /** Retries made, per second, over the last ten seconds. */
  readonly retriesPerS: number;
  /** Hedges sent, per second, over the last ten seconds. */
  readonly hedgesPerS: number;
  /** Over the last minute. */
  readonly success: SuccessReading;
  /** Time of a call to its response head, over the last minute; `null` without one. */
  readonly latencyMs: LatencyReading | null;
  readonly secured: Secured;
  /** Each instance of a service that has at most eight; `null` when it has more. */
  readonly instances: readonly InstanceReading[] | null;
  /** URL of the dashboard of this service (`dashboardUrl`); `null` without one. */
  readonly dashboardUrl: string | null;
}

/** An identity of the process. */
export interface IdentityRow {
  /** The source of it: `files`, `consul`, `workload-api`; `tls` for the certificate of the option `tls`. */
  readonly source: string;
  readonly state: IdentityState;
  /** Its SPIFFE id; `null` without one. */
  readonly id: string | null;
  /** Milliseconds since the epoch; `null` before the first certificate. */
  readonly expiresAtMs: number | null;
  /** `null` before the first certificate. */
  readonly lifetimeMs: number | null;
  /** The last failure of its source; `null` since the last good one. */
  readonly failure: string | null;
}

/** A server of the process. */
export interface ServerRow extends Omit<ServerReading, "identity" | "callersMode"> {
  /** The identity that it shows; `null` without one. */
  readonly identity: IdentityRow | null;
  /** Which connections it takes; `null` without an identity. */
  readonly callersMode: "strict" | "permissive" | null;
}

/** The process of a snapshot. */
export interface ProcessReading {
  readonly pid: number;
  /** Version of Node.js. */
  readonly node: string;
  /** Seconds since it began. */
  readonly uptimeS: number;
  /** Its zone; `null` without one. */
  readonly zone: string | null;
  /** Expiry of its client certificate, in milliseconds since the epoch; `null` without one. */
  readonly certificateExpiresAtMs: number | null;
  /** Its identity towards instances; `null` without one. */
  readonly identity: IdentityRow | null;
}

/** The answer of `GET /api/mesh`, and the data of each event of `GET /api/events`. */
export interface MeshSnapshot {
  readonly version: 1;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly process: ProcessReading;
  readonly registry: RegistrySummary;
  /** The servers of the process (`inmesh/server`). */
  readonly servers: readonly ServerRow[];
  /** The registrations of the process itself, one for each registry. */
  readonly registrations: readonly RegistrationReading[];
  /** Sorted by name. */
  readonly services: readonly ServiceRow[];
  /** The rules of the routes in force, in their order; empty for a mesh without routes. */
  readonly routes: readonly RouteRow[];
  /** The canaries of these routes. */
  readonly canaries: readonly CanaryRow[];
  /** The configuration in force. */
  readonly configuration: ConfigurationRow | null;
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
  /** The error; `null` when the check passed. */
  readonly error: string | null;
}

/** One endpoint in {@link ServiceSnapshot}. */
export interface EndpointRow extends InstanceReading {
  readonly zone: string | null;
  readonly priority: number;
  readonly weight: number;
  /** `true` when the picker chooses from it now. */
  readonly candidate: boolean;
  /** Why the picker chooses from it, or does not. */
  readonly reason: string;
  /** A remark about the endpoint, such as that discovery no longer lists it; `null` without one. */
  readonly warning: string | null;
  /** The share of the requests that its priority and zone are given, 0 to 1; `null` for no candidate. */
  readonly share: number | null;
  /** The share of the service's attempts of the last minute that it got, 0 to 1; `null` where there was none. */
  readonly shareGot: number | null;
  /** The share of the requests that it is meant to have at present, 0 to 1; `null` for no candidate. */
  readonly shareMeant: number | null;
  readonly ejection: EjectionReading | null;
  /** Number of times it has been taken out of rotation. */
  readonly ejections: number;
  readonly healthCheck: HealthCheckReading | null;
  /** Attempts whose response body has not closed yet. */
  readonly inFlight: number;
  /** Attempts since it was first seen. */
  readonly attempts: number;
  /** Attempts that failed by its fault, of every kind (5xx included), since it was first seen. */
  readonly failures: number;
  /** `failures` / `attempts`, 0 to 1; `null` without an attempt. */
  readonly failureRatio: number | null;
  /** Moving average of the time to the response head, in milliseconds. */
  readonly latencyMs: number;
  /** Whether it is spoken to over TLS, and as which identity it has shown itself: `clear text`, `TLSv1.3 h2 spiffe://example.org/orders, 23 h left`. */
  readonly connection: string;
  /** The knowledge of the picker about it, such as its cost and the terms of that; `null` for a picker without figures. */
  readonly picker: Readonly<Record<string, number | string>> | null;
}

/** An endpoint that discovery lists outside of the boundary of the service: it gets no request. */
export interface OutsideRow {
  readonly id: string;
  readonly address: string;
  readonly zone: string | null;
  /** `null` where it is unknown. */
  readonly region: string | null;
  readonly reason: string;
}

/** One attempt of a {@link RecentError}. */
export interface AttemptReading {
  /** Id of the endpoint; `null` when none was picked. */
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
  /** A number that grows with each error of the service. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The name of the rule of the routes that decided on it; `null` where none matched. */
  readonly rule: string | null;
  /** The name of the target that the rule sent it to; `null` for a rule without a split. */
  readonly target: string | null;
  /** The code of the error; `null` for a response. */
  readonly code: string | null;
  readonly message: string;
  /** The HTTP status of a response; `null` for an error. */
  readonly status: number | null;
  /** `false` when it is certain that no instance has executed it. */
  readonly maybeExecuted: boolean;
  readonly attempts: readonly AttemptReading[];
}

/** The counts of one second of a service. */
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
  /** Quantiles of the calls of this second; `null` without one. */
  readonly latencyMs: LatencyReading | null;
}

/**
 * The answer of `GET /api/services/NAME`. `?state=STATE`, `?find=TEXT` (in id, address, zone or reason), `?offset=N` and `?limit=N` choose
 * endpoints; `?since=SECOND` chooses the seconds after that one.
 */
export interface ServiceSnapshot extends ServiceRow {
  readonly version: 1;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The source of the endpoints: `consul`, `dns` and so on. */
  readonly discovery: string;
  /** The last error of discovery; `null` when its last attempt succeeded. */
  readonly discoveryError: string | null;
  /** The entries of the last answer that are not used, by their reasons. */
  readonly leftOut: readonly LeftOutCount[];
  /** The first 100 endpoints that are outside of the service's `boundary`. */
  readonly outside: readonly OutsideRow[];
  /** The canaries of routes that lead to the service. */
  readonly canaries: readonly CanaryRow[];
  /** The chosen endpoints: those out of rotation first, then in the order of discovery. */
  readonly endpointRows: readonly EndpointRow[];
  /** Number of endpoints that match `state` and `find`, whatever `offset` and `limit`. */
  readonly endpointsFound: number;
  /** Whether `POST` may take instances out of rotation and put them back: a token is configured. */
  readonly canChange: boolean;
  /**
   * The last 50 errors, the newest first. Calls that were refused without an attempt, because the breaker is open or too many wait, take
   * the places that errors with a cause of their own leave, and at least five.
   */
  readonly errors: readonly RecentError[];
  /** The last two minutes without the current second, the oldest first; seconds before the recording are left out. */
  readonly seconds: readonly SecondReading[];
}
