import { type BreakerOptions, breakerOptions } from "../circuit/breaker-options.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { EventSink } from "../core/observing/events.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import { EjectionHistories } from "./ejection/ejection-history.ts";
import { type EjectionOptions, ejectionOptions } from "./ejection/ejection-options.ts";
import { Ejections } from "./ejections.ts";
import { InstanceCircuits } from "./instance-circuits.ts";
import type { HealthCheckResult, InstanceStanding } from "./instance-standing.ts";
import { PassiveHealth } from "./passive-health.ts";

/** The user's options of breakers and ejection, and the parts of the service that a {@link Rotation} works with. */
export interface RotationOptions extends BreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Takes each change of an instance's state. */
  readonly events?: EventSink | undefined;
  /** The instances that this process uses: a share of them may be out. */
  readonly upstreams: () => readonly Upstream[];
  /** `false`: instances are not compared, and any number of them may be out. */
  readonly ejection?: EjectionOptions | false;
  /** The last active health check of an instance, for {@link Rotation.standing}. */
  readonly healthCheck?: ((upstream: Upstream) => HealthCheckResult | undefined) | undefined;
}

/**
 * Which instances of one service are in rotation, and why. An instance goes out when its circuit opens and comes back when it closes. Attempts,
 * ejection, active health checks and operators say when; the circuit holds the state.
 */
export class Rotation {
  /** Judges instances by their attempts. */
  passiveHealth: PassiveHealth;
  readonly #options: RotationOptions;
  readonly #circuits: InstanceCircuits;
  #ejections: Ejections;
  readonly #histories: EjectionHistories;
  readonly #healthCheck: RotationOptions["healthCheck"];

  constructor(options: RotationOptions) {
    const { clock, random, events, upstreams, ejection = {}, healthCheck } = options;
    this.#options = options;
    this.#healthCheck = healthCheck;
    const settings = ejectionOptions.settle(ejection || {});
    const histories = new EjectionHistories(clock, settings.intervalMs);
    const mayOpen = () => this.#ejections.mayOpen();
    const circuits = new InstanceCircuits({ settings: breakerOptions.settle(options), histories, mayOpen, events, clock, random });
    this.#histories = histories;
    this.#circuits = circuits;
    this.#ejections = new Ejections({ settings, isOn: ejection !== false, upstreams, circuits, histories, clock });
    this.passiveHealth = new PassiveHealth(circuits, this.#ejections);
  }

  /**
   * Judges by other options. Which instances are out, for how long and for how many times, stays. With other options of `ejection`, rates are compared anew.
   * @param ejection absent where it has not changed
   */
  adjust({ breaker, ejection }: { readonly breaker: BreakerOptions; readonly ejection?: EjectionOptions | false | undefined }): void {
    this.#circuits.adjust(breakerOptions.settle(breaker));
    if (ejection === undefined) return;
    const { clock, upstreams } = this.#options;
    const settings = ejectionOptions.settle(ejection || {});
    this.#ejections.dispose();
    this.#ejections = new Ejections({
      settings,
      isOn: ejection !== false,
      upstreams,
      circuits: this.#circuits,
      histories: this.#histories,
      clock,
    });
    this.passiveHealth = new PassiveHealth(this.#circuits, this.#ejections);
  }

  /** Puts back the instances that are out by their attempts, which nothing judges any more. */
  readmitAll(): void {
    this.#circuits.closeAll();
  }

  /** The state of `upstream`. */
  state(upstream: Upstream): InstanceState {
    return this.#circuits.stateOf(upstream);
  }

  /** The state of `upstream` and its reason. Computed when it is asked for. */
  standing(upstream: Upstream): InstanceStanding {
    const circuit = this.#circuits.get(upstream);
    return {
      state: this.state(upstream),
      rule: circuit?.rule,
      sinceMs: circuit?.sinceMs,
      untilMs: circuit?.untilMs,
      ejections: this.#histories.total(upstream),
      healthCheck: this.#healthCheck?.(upstream),
    };
  }

  /** Takes `upstream` out until {@link release}, which is expected at `untilMs`: no request is sent there as a probe. */
  hold(upstream: Upstream, rule: EjectionRule = "health check", untilMs?: number): void {
    if (this.#circuits.isOver(upstream)) return;
    const circuit = this.#circuits.getOrMake(upstream);
    circuit.hold(rule, untilMs);
    this.#circuits.show(upstream, circuit);
  }

  /** Ends the hold of `rule`. An instance that is out for another reason stays out, unless `rule` is `operator` and no hold is left. */
  release(upstream: Upstream, rule: EjectionRule = "health check"): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return;
    circuit.release(rule);
    this.#circuits.show(upstream, circuit);
  }

  /** The upstream has left for good. */
  forget(upstream: Upstream): void {
    this.#circuits.forget(upstream);
  }

  /** Releases every timer. Attempts that end afterwards change nothing. */
  dispose(): void {
    this.#ejections.dispose();
    this.#circuits.dispose();
  }
}
