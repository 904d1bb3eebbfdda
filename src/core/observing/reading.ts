import type { BreakerState } from "../breaker-state.ts";
import type { InstanceState } from "../upstream.ts";

/** A concurrency limit at this moment. */
export interface ConcurrencyReading {
  /** Attempts in flight, their bodies included. */
  readonly inFlight: number;
  /** Attempts that wait in the queue. */
  readonly queued: number;
  /** Attempts that may be in flight now. */
  readonly limit: number;
}

/** One service at this moment, in numbers; gauges and the live page show them. */
export interface ServiceReading {
  readonly service: string;
  /** Calls that have not settled, or that have an open response body. */
  readonly inFlight: number;
  /** Endpoints in use, by the state of their instance. */
  readonly endpoints: Readonly<Record<InstanceState, number>>;
  /** Endpoints that discovery no longer lists and that stay in use until that is confirmed, because too many were missing at once. */
  readonly unconfirmed: number;
  /** `true` while a priority has so few available instances that its requests go to all of them. */
  readonly isPanicking: boolean;
  /** The breaker of the service. */
  readonly breaker: BreakerState;
  /** Milliseconds since discovery last confirmed the endpoints; `undefined` when it never has. */
  readonly discoveryAgeMs: number | undefined;
  /** Retries and hedges that may be made at once. */
  readonly retryBudget: number;
  /** `undefined` for a service without a limit. */
  readonly concurrency: ConcurrencyReading | undefined;
}

/** A mesh at this moment. A reading costs one pass over the endpoints; between two readings it costs nothing. */
export interface MeshReading {
  /** The zone of this process. */
  readonly zone: string | undefined;
  /** When the client certificate of `tls` ends, in milliseconds since the epoch; `undefined` without one. */
  readonly certificateExpiresAtMs: number | undefined;
  /** The services that have been called. */
  readonly services: () => readonly ServiceReading[];
}
