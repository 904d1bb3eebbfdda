import type { Clock, Random } from "../core/clock.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { isMeshError, MeshError } from "../core/errors.ts";
import type { BreakerState } from "../core/observer.ts";
import { outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import { Circuit } from "./circuit.ts";

/** When the breakers open and how they come back; `breaker` in the options of the mesh. */
export interface BreakerOptions {
  /** The service's breaker opens when more than this share of its calls in the last 10 s failed, 0–1. @default 0.5 */
  readonly failureRatio?: number;
  /** … of at least so many calls. @default 20 */
  readonly minCalls?: number;
  /** An instance is taken out after so many failures in a row; one is enough when no connection could be made. @default 5 */
  readonly consecutiveFailures?: number;
  /** First pause before a probe, in milliseconds; doubles with each probe that fails. Every pause is varied by ± 20 %. @default 1000 */
  readonly resetMs?: number;
  /** The longest pause of an instance before it is varied, in milliseconds. (A service's is 1000: while nobody answers, every second one call tries.) @default 30000 */
  readonly maxResetMs?: number;
}

/** What {@link serviceBreaker} needs beside the user's options. */
export interface ServiceBreakerOptions extends BreakerOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly onState: (state: BreakerState) => void;
}

/** The breaker in front of a whole service, and its release. */
export interface ServiceBreaker {
  readonly interceptor: Interceptor;
  state(): BreakerState;
  dispose(): void;
}

const serviceMaxResetMs = 1_000;

/**
 * Refuses calls with `ERR_MESH_CIRCUIT_OPEN` while the service as a whole fails, so that callers learn it in microseconds
 * and the service is not hit by retries while it comes up; one call a second goes through and closes it when it succeeds.
 */
export function serviceBreaker({
  service,
  failureRatio = 0.5,
  minCalls = 20,
  resetMs = 1_000,
  clock,
  random,
  onState,
}: ServiceBreakerOptions): ServiceBreaker {
  const circuit = new Circuit({
    failureRatio,
    minOutcomes: minCalls,
    // A service is judged by its rate alone: in a row means nothing with many calls at once.
    consecutiveFailures: Number.POSITIVE_INFINITY,
    pauses: { baseMs: resetMs, maxMs: serviceMaxResetMs },
    clock,
    random,
    onState,
  });
  return {
    state: () => circuit.state,
    dispose: () => circuit.dispose(),
    interceptor: (next) => (request) => {
      const permit = circuit.admit();
      if (permit === undefined) {
        const message = `"${service}" is failing: its circuit breaker is ${circuit.state} and lets one call a second through`;
        return Promise.reject(new MeshError("ERR_MESH_CIRCUIT_OPEN", message, { service, maybeExecuted: false, stack: false }));
      }
      return next(request).then(
        (response) => {
          circuit.settle(permit, outcomeOfResponse(response));
          return response;
        },
        (error: unknown) => {
          // A deadline that passed before any attempt, in the wait for discovery, is no failure of the service.
          const isEarly = isMeshError(error) && error.code === "ERR_MESH_TIMEOUT" && error.attempts.length === 0;
          circuit.settle(permit, isEarly ? "neutral" : outcomeOfError(error));
          throw error;
        },
      );
    },
  };
}
