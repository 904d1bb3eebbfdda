import type { Endpoint } from "../endpoint.ts";
import type { InstanceState } from "../upstream.ts";
import type { BreakerState } from "./breaker-state.ts";
import type { IdentityReading } from "./identity-reading.ts";
import type { RegistrationState } from "./registration-state.ts";
import type { CanaryReading } from "./routes/canary-reading.ts";
import type { RuleReading } from "./routes/route-reading.ts";
import type { ServingState } from "./serving-state.ts";

/** A concurrency limit at this moment. */
export interface ConcurrencyReading {
  /** Attempts in flight, their bodies included. */
  readonly inFlight: number;
  /** Attempts that wait for a place. */
  readonly queued: number;
  /** Attempts that may be in flight at present. */
  readonly limit: number;
}

/**
 * The state of the source of a service's endpoints.
 *
 * - `waiting`: it has not answered yet, and has not failed.
 * - `ok`: it has answered, and nothing has failed since.
 * - `doubted`: its last answer leaves endpoints out, which are kept until that is confirmed.
 * - `failing`: it has failed since its last answer, or before its first one. The last endpoints stay in use.
 */
export type RegistryState = "waiting" | "ok" | "doubted" | "failing";

/** The source of a service's endpoints at this moment. */
export interface RegistryReading {
  /** The kind of source and its address: `consul at http://127.0.0.1:8500`. */
  readonly source: string;
  readonly state: RegistryState;
  /** Milliseconds since the first failure after its last answer; `undefined` where it does not fail. */
  readonly failingMs: number | undefined;
  /** Its last error; `undefined` where it does not fail. */
  readonly error: string | undefined;
}

/** The numbers of a service at this moment, for gauges and the live page. */
export interface ServiceReading {
  readonly service: string;
  /** Calls that have not settled, or whose response body is open. */
  readonly inFlight: number;
  /** Endpoints in use, by the state of their instance. */
  readonly endpoints: Readonly<Record<InstanceState, number>>;
  /** Endpoints in rotation that the picker avoids, and tries from time to time. */
  readonly avoided: number;
  /** Endpoints in use that discovery no longer lists: too many were missing at once, which has to be confirmed. */
  readonly unconfirmed: number;
  /** Whether a priority is in panic: so few of its instances are available that its requests go to all of them. */
  readonly panicking: boolean;
  /** The state of the breaker of the service. */
  readonly breaker: BreakerState;
  /** Milliseconds since the last answer of discovery; `undefined` where it has not answered yet. */
  readonly discoveryAgeMs: number | undefined;
  /** The state of the source of its endpoints. */
  readonly registry: RegistryReading;
  /** Retries and hedges that the budget allows at this moment. */
  readonly retryBudget: number;
  /** The concurrency limit; `undefined` for a service without one. */
  readonly concurrency: ConcurrencyReading | undefined;
}

/** The numbers of one instance at this moment: a part of what `mesh.explain` says of it. */
export interface InstanceFigures {
  readonly endpoint: Endpoint;
  /** Why the picker avoids it; `undefined` while it does not. */
  readonly avoided: string | undefined;
  /** The share of the service's attempts of the last minute that it got, 0 to 1; `undefined` where there was none. */
  readonly shareGot: number | undefined;
  /** The share of the requests that it is meant to have, 0 to 1; `undefined` for no candidate. */
  readonly shareMeant: number | undefined;
  /** The share of its attempts that failed by its fault, 0 to 1; `undefined` without an attempt. */
  readonly failureRatio: number | undefined;
  /** The knowledge of the picker about it; `undefined` for a picker without figures. */
  readonly picker: Readonly<Record<string, number | string>> | undefined;
}

/** A registration of this process at one registry, at this moment. */
export interface RegistrationReading {
  readonly service: string;
  /** The id of the instance. */
  readonly id: string;
  /** The kind of registry and its address. */
  readonly registry: string;
  readonly state: RegistrationState;
}

/** A server of this process at this moment. */
export interface ServerReading {
  /** The service that it is an instance of; `_unregistered` for one that is registered nowhere. */
  readonly service: string;
  readonly state: ServingState;
  /** Milliseconds since it has this state. */
  readonly sinceMs: number;
  /** Requests, upgraded connections and tracked work that are under way. */
  readonly open: number;
  /** Open connections. */
  readonly connections: number;
  /** The identity that it shows; absent for a server without one. */
  readonly identity?: IdentityReading;
  /** Which connections it takes; absent for a server without an identity. */
  readonly callersMode?: "strict" | "permissive";
}

/** The configuration of a mesh at this moment. */
export interface ConfigurationReading {
  /** Where it came from: `createMesh`, `mesh.reconfigure`, or the path of a file. */
  readonly source: string;
  /** Since when it is in force, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** The time since then, in milliseconds. */
  readonly ageMs: number;
  /** Options that its source has otherwise, and that only a new mesh takes. */
  readonly restart: readonly string[];
  /** A newer one that was refused; `undefined` where the newest is in force. */
  readonly refusal: { readonly source: string; readonly error: string; readonly atMs: number } | undefined;
}

/** Reads the numbers of a mesh. A reading costs one pass over the endpoints, and nothing while none is made. */
export interface MeshReading {
  /** The zone of this process; `undefined` where the options name none. */
  readonly zone: string | undefined;
  /** The time at which the client certificate of `tls` or `identity` expires, in milliseconds since the epoch; `undefined` without a certificate. */
  readonly certificateExpiresAtMs: number | undefined;
  /** Reads the identity of this process towards instances, of `identity` or of the certificate of `tls`; `undefined` where it shows none. */
  readonly identity?: () => IdentityReading | undefined;
  /** Reads the configuration in force; absent in readings of doubles. */
  readonly configuration?: () => ConfigurationReading;
  /** Reads the services that have been called. */
  readonly services: () => readonly ServiceReading[];
  /** Reads the instances of a service, which costs more than a reading; empty for one that has not been called. */
  readonly instances?: (service: string) => readonly InstanceFigures[];
  /** Reads the rules of the routes in force; absent for a mesh without routes. */
  readonly routes?: (() => readonly RuleReading[]) | undefined;
  /** Reads what this process has registered and has not deregistered. */
  readonly registrations: () => readonly RegistrationReading[];
  /** Reads the canaries of its routes; absent where there are no routes. */
  readonly canaries?: () => readonly CanaryReading[];
  /** Reads the servers of this process that belong to the mesh. */
  readonly servers: () => readonly ServerReading[];
}
