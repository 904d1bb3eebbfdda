import { type BreakerOptions, breakerOptions } from "../circuit/breaker-options.ts";
import { Circuit } from "../circuit/circuit.ts";
import type { CircuitPermit } from "../circuit/circuit-permit.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { MeshResponse } from "../core/dispatch.ts";
import { isMeshError, MeshError } from "../core/errors.ts";
import { type LayerParts, layer } from "../core/layer.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import { outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, group, orFalse } from "../core/settings/rules.ts";
import type { Receiver, Stage } from "../core/stages/stage.ts";
import { quoted } from "../core/text/clean-text.ts";

/** The options of the breaker of a service, and the parts that it works with. */
export interface ServiceBreakerOptions extends BreakerOptions {
  readonly service: string;
  /** The rule whose calls it judges; `undefined` for all calls of the service. */
  readonly rule?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the state has changed. */
  readonly onState: (state: BreakerState) => void;
}

/** The breaker of a whole service. */
export interface ServiceBreaker {
  readonly stage: Stage;
  state(): BreakerState;
  /** Takes other thresholds; its state and what it has counted stay. */
  adjust(options: BreakerOptions): void;
  /** Releases its timers. */
  dispose(): void;
}

/** In milliseconds: with every pause at most a second, one call a second tries a service that fails. */
const serviceMaxBreakMs = 1_000;

/**
 * Refuses calls with `ERR_MESH_CIRCUIT_OPEN` while the service as a whole fails: callers learn it within microseconds, and the service gets no
 * retries while it recovers. One call a second is sent; the breaker closes when it succeeds.
 */
export function serviceBreaker({ service, rule, clock, random, onState, ...options }: ServiceBreakerOptions): ServiceBreaker {
  const circuit = new Circuit({ ...thresholdsOf(options), clock, random, onState });
  return {
    state: () => circuit.state,
    adjust: (given) => circuit.adjust(thresholdsOf(given)),
    dispose: () => circuit.dispose(),
    stage: (next) => (request, receiver) => {
      const permit = circuit.admit();
      if (permit === undefined) {
        const of = rule === undefined ? "" : ` by the route ${quoted(rule)}`;
        const message = `"${service}" is failing${of}: its circuit breaker is ${circuit.state} and lets one call a second through`;
        receiver.failed(new MeshError("ERR_MESH_CIRCUIT_OPEN", message, { service, maybeExecuted: false, stack: false }));
      } else next(request, new PermittedCall(circuit, permit, receiver));
    },
  };
}

function thresholdsOf(options: BreakerOptions): Parameters<Circuit["adjust"]>[0] {
  const { failureRatio, minCalls, breakMs } = breakerOptions.settle(options);
  return {
    failureRatio,
    minOutcomes: minCalls,
    // Only the ratio counts for a service: with many calls at once, failures in a row mean little.
    consecutiveFailures: Number.POSITIVE_INFINITY,
    pauses: { baseMs: breakMs, maxMs: serviceMaxBreakMs },
  };
}

/** A call that the breaker has let through. */
class PermittedCall implements Receiver {
  readonly #circuit: Circuit;
  readonly #permit: CircuitPermit;
  readonly #receiver: Receiver;

  constructor(circuit: Circuit, permit: CircuitPermit, receiver: Receiver) {
    this.#circuit = circuit;
    this.#permit = permit;
    this.#receiver = receiver;
  }

  answered(response: MeshResponse): void {
    this.#circuit.settle(this.#permit, outcomeOfResponse(response));
    this.#receiver.answered(response);
  }

  failed(error: unknown): void {
    // A deadline that passes in the wait for discovery, before any attempt, is no failure of the service.
    const isEarly = isMeshError(error) && error.code === "ERR_MESH_TIMEOUT" && error.attempts.length === 0;
    this.#circuit.settle(this.#permit, isEarly ? "neutral" : outcomeOfError(error));
    this.#receiver.failed(error);
  }
}

/** The option of {@link serviceBreakerLayer}. */
export interface BreakerOption {
  /** The circuit breakers of the service and of its instances; `false` = none. */
  readonly breaker?: BreakerOptions | false;
}

/** The rule of {@link BreakerOption}, by which the instances are judged, too. */
export const breakerOption = optionTable<BreakerOption>()({ breaker: atOnce(orFalse(group(breakerOptions))) });

/** Above the retries: it counts calls, not attempts, and refuses before any work is done. */
export const serviceBreakerLayer = layer({
  name: "breaker of the service",
  options: breakerOption,
  build({ breaker }, parts: LayerParts) {
    if (breaker === false) return undefined;
    const { service, rule } = parts;
    const onState = (state: BreakerState) => parts.events.emit?.({ type: "breaker", service, state, ...(rule !== undefined && { rule }) });
    const { stage, state, adjust, dispose } = serviceBreaker({ ...parts, ...breaker, onState });
    return {
      stage,
      reading: () => ({ breaker: state() }),
      adjust(given: BreakerOption) {
        const { breaker: other } = breakerOption.settle(given);
        return other === false ? undefined : () => adjust(other);
      },
      // Which closes it: a circuit that is disposed lets every call through.
      retire: dispose,
      dispose,
    };
  },
});
