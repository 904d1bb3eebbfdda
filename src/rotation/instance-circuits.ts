import type { BreakerSettings } from "../circuit/breaker-options.ts";
import { Circuit } from "../circuit/circuit.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import type { EjectionHistories } from "./ejection/ejection-history.ts";

/** Settings of the circuits, and the parts that they report to. */
export interface InstanceCircuitsOptions {
  readonly settings: BreakerSettings;
  /** Takes each ejection and each return. */
  readonly histories: EjectionHistories;
  /** Returning `false` vetoes the opening of a circuit by a rule that may blame the wrong instance. */
  readonly mayOpen: () => boolean;
  /** Takes each change of an instance's state. */
  readonly events: EventSink | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A circuit for each instance that has failed, made at its first failure and dropped after ten quiet seconds, so that ten thousand healthy
 * instances cost nothing. The state of an upstream is that of its circuit, and nothing else sets it.
 */
export class InstanceCircuits {
  readonly #options: InstanceCircuitsOptions;
  #settings: BreakerSettings;
  readonly #circuits = new Map<Upstream, Circuit>();
  #isDisposed = false;

  constructor(options: InstanceCircuitsOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Takes other settings, for the circuits that there are, too: their states and what they have counted stay. */
  adjust(settings: BreakerSettings): void {
    this.#settings = settings;
    for (const circuit of this.#circuits.values()) circuit.adjust(thresholdsOf(settings));
  }

  /** Closes every circuit that nothing holds. */
  closeAll(): void {
    for (const circuit of [...this.#circuits.values()]) circuit.close(circuit.panicPermit);
  }

  /** The circuit of `upstream`; `undefined` while it has none, and is available. */
  get(upstream: Upstream): Circuit | undefined {
    return this.#circuits.get(upstream);
  }

  /** The circuit of `upstream`, made if it has none. */
  getOrMake(upstream: Upstream): Circuit {
    return this.#circuits.get(upstream) ?? this.#make(upstream);
  }

  /** `true` when no circuit may be made any more: `upstream` has left, or all circuits are disposed. */
  isOver(upstream: Upstream): boolean {
    return upstream.removed || this.#isDisposed;
  }

  /** The state of `upstream` by its circuit. */
  stateOf(upstream: Upstream): InstanceState {
    const circuit = this.#circuits.get(upstream);
    return circuit === undefined ? "available" : stateBy(circuit);
  }

  /** Gives `upstream` the state of its circuit, and reports a change. */
  show(upstream: Upstream, circuit: Circuit): void {
    const former = upstream.state;
    const state = stateBy(circuit);
    upstream.setState(state, circuit.wantsProbe);
    if (state === former) return;
    const { service } = upstream;
    this.#options.events?.emit?.({ type: "instance-state", service, upstream, state, former, rule: circuit.rule });
  }

  /** Drops the circuit of `upstream`, whatever its state. */
  forget(upstream: Upstream): void {
    this.#circuits.get(upstream)?.dispose();
    this.#circuits.delete(upstream);
  }

  /** Releases every circuit. */
  dispose(): void {
    this.#isDisposed = true;
    for (const circuit of this.#circuits.values()) circuit.dispose();
    this.#circuits.clear();
  }

  #make(upstream: Upstream): Circuit {
    const { histories, mayOpen, clock, random } = this.#options;
    const circuit = new Circuit({
      ...thresholdsOf(this.#settings),
      clock,
      random,
      mayOpen,
      onState: (state: BreakerState, former: BreakerState) => {
        if (former === "closed") histories.eject(upstream);
        if (state === "closed") histories.readmit(upstream);
        this.show(upstream, circuit);
      },
      onProbeOverdue: () => this.show(upstream, circuit),
      onQuiet: () => this.forget(upstream),
    });
    this.#circuits.set(upstream, circuit);
    return circuit;
  }
}

function thresholdsOf({ failureRatio, minCalls, consecutiveFailures, breakMs, maxBreakMs }: BreakerSettings) {
  return { failureRatio, minOutcomes: minCalls, consecutiveFailures, pauses: { baseMs: breakMs, maxMs: maxBreakMs } };
}

/** The state of an instance with this circuit. */
function stateBy({ state, rule }: Circuit): InstanceState {
  if (state === "closed") return "available";
  if (rule === "health check") return "unhealthy";
  return state === "half-open" ? "probing" : "ejected";
}
