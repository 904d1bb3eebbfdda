import type { BreakerState } from "../breaker-state.ts";
import type { InstanceState } from "../upstream.ts";

/** What a concurrency limit shows. */
export interface ConcurrencyReading {
  /** Attempts in flight, their bodies included. */
  readonly inFlight: number;
  /** Attempts that wait for a place. */
  readonly queued: number;
  /** How many may be in flight now. */
  readonly limit: number;
}

/** One service at this moment, in numbers: what gauges and pages show. */
export interface ServiceReading {
  readonly service: string;
  /** Calls that have not settled, or whose body is open. */
  readonly inFlight: number;
  /** Endpoints in use, by the state of their instance. */
  readonly endpoints: Readonly<Record<InstanceState, number>>;
  /** Endpoints that discovery lists no longer, but so suddenly that they are kept until that is confirmed. */
  readonly unconfirmed: number;
  /** `true` while a priority has so few available endpoints that its requests go to all of them. */
  readonly isPanicking: boolean;
  /** The breaker of the service. */
  readonly breaker: BreakerState;
  /** Milliseconds since discovery last confirmed the endpoints; `undefined` when it never has. */
  readonly discoveryAgeMs: number | undefined;
  /** Retries and hedges that may be made at once. */
  readonly retryBudget: number;
  /** `undefined` without a limit. */
  readonly concurrency: ConcurrencyReading | undefined;
}

/** A mesh at this moment. Reading it costs a pass over its endpoints, and nothing while nobody reads. */
export interface MeshReading {
  /** The zone of this process. */
  readonly zone: string | undefined;
  /** When the client certificate of `tls` ends, in milliseconds since the epoch; `undefined` without one. */
  readonly certificateExpiresAtMs: number | undefined;
  /** The services that have been called. */
  readonly services: () => readonly ServiceReading[];
}
