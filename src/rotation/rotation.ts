import type { BreakerOptions } from "../circuit/breaker-options.ts";
import { Circuit } from "../circuit/circuit.ts";
import { type CircuitPermit, permitOfFirstGeneration } from "../circuit/circuit-permit.ts";
import type { BreakerState } from "../core/breaker-state.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { MeshResponse } from "../core/dispatch.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import { isMeshError } from "../core/errors.ts";
import { retryAfterOf } from "../core/http/retry-after.ts";
import type { EventSink } from "../core/observing/events.ts";
import { outcomeOfError, outcomeOfResponse } from "../core/outcome.ts";
import type { InstanceState, Upstream } from "../core/upstream.ts";
import type { EjectionOptions } from "./ejection/ejection.ts";
import { EjectionHistories } from "./ejection/ejection-history.ts";
import { isCertain, mayEject, type RotationCount } from "./ejection/ejection-limit.ts";
import { OutlierSweep } from "./ejection/outlier-sweep.ts";
import type { HealthCheckResult, InstanceStanding } from "./instance-standing.ts";

/** What {@link Rotation} needs beside the user's options. */
export interface RotationOptions extends BreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each change of an instance's state. */
  readonly events?: EventSink | undefined;
  /** The instances that this process uses: a share of them may be out. */
  readonly upstreams: () => readonly Upstream[];
  /** `false`: nobody is judged by rates, and any number of instances may be out. */
  readonly ejection?: EjectionOptions | false;
  /** The last active health check of an instance, for {@link Rotation.standing}. */
  readonly healthCheck?: ((upstream: Upstream) => HealthCheckResult | undefined) | undefined;
}

/**
 * One circuit per upstream, made at its first failure and dropped after ten quiet seconds, so that ten thousand healthy
 * instances cost nothing. It decides the upstream's state and nothing else does: the rules of ejection and the active health checks
 * say when, the circuit holds the state.
 */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #circuits = new Map<Upstream, Circuit>();
  readonly #records = new EjectionHistories();
  readonly #ejection: EjectionOptions | undefined;
  readonly #sweep: OutlierSweep | undefined;
  #isDisposed = false;

  constructor(options: RotationOptions) {
    this.#options = options;
    const { ejection = {}, clock } = options;
    if (ejection === false) return;
    this.#ejection = ejection;
    this.#sweep = new OutlierSweep({
      ...ejection,
      clock,
      isInRotation: (upstream) => this.state(upstream) === "available",
      eject: (upstream, rule) => this.#eject(upstream, rule),
    });
  }

  /** An attempt to `upstream` begins. Its ledger tells with the permit how it went on: {@link answered} and {@link ended}, or {@link failed}. */
  admit(upstream: Upstream): CircuitPermit {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return permitOfFirstGeneration;
    const permit = circuit.admit();
    // The circuit is not closed and the balancer, in panic, picked the upstream all the same.
    if (permit === undefined) return circuit.panicPermit;
    // One probe at a time: no other request is sent there until it has ended.
    if (permit.kind === "probe") this.#show(upstream, circuit);
    return permit;
  }

  /** The response head of an admitted attempt has come. Says what its end still has to decide, for {@link ended}. */
  answered(upstream: Upstream, permit: CircuitPermit, response: MeshResponse): HeadVerdict {
    const asksForPeace = this.#heed(upstream, response);
    if (outcomeOfResponse(response) === "failure") {
      this.#fail(upstream, permit, false);
      return "settled";
    }
    // The head decides a probe, which must not wait for a long body. Otherwise the body does: an instance that answers and then cuts off
    // every body would count as good and bad in turn, and stay.
    if (permit.kind === "normal") return "open";
    if (!asksForPeace) {
      this.#succeed(upstream, permit, isServerError(response.status));
      return "succeeded";
    }
    // It asks to be left alone again: no sign of recovery.
    this.#sweep?.count(upstream, isServerError(response.status));
    if (permit.kind === "probe") this.#circuits.get(upstream)?.settle(permit, "failure");
    return "settled";
  }

  /** The body of an answered attempt has closed. */
  ended(upstream: Upstream, permit: CircuitPermit, verdict: HeadVerdict, status: number, hasFailed: boolean): void {
    if (verdict === "settled") return;
    if (hasFailed) this.#fail(upstream, permit, false);
    else if (verdict === "open") this.#succeed(upstream, permit, isServerError(status));
  }

  /** An admitted attempt has failed before its head. */
  failed(upstream: Upstream, permit: CircuitPermit, error: unknown): void {
    if (outcomeOfError(error) === "failure") this.#fail(upstream, permit, isRefusal(error));
    else this.#release(upstream, permit);
  }

  /** The state of `upstream` by its circuit. */
  state(upstream: Upstream): InstanceState {
    const circuit = this.#circuits.get(upstream);
    return circuit === undefined ? "available" : stateBy(circuit);
  }

  /** Where `upstream` stands and why. Computed when it is asked for. */
  standing(upstream: Upstream): InstanceStanding {
    const circuit = this.#circuits.get(upstream);
    const isOut = circuit !== undefined && circuit.state !== "closed";
    return {
      state: this.state(upstream),
      rule: isOut ? circuit.rule : undefined,
      sinceMs: isOut ? circuit.sinceMs : undefined,
      untilMs: isOut ? circuit.untilMs : undefined,
      ejections: this.#records.total(upstream),
      healthCheck: this.#options.healthCheck?.(upstream),
    };
  }

  /** Takes `upstream` out until {@link release}, which is expected at `untilMs`: no request is sent there as a probe. */
  hold(upstream: Upstream, rule: EjectionRule = "health check", untilMs?: number): void {
    if (upstream.removed || this.#isDisposed) return;
    const circuit = this.#circuits.get(upstream) ?? this.#create(upstream);
    circuit.hold(rule, untilMs);
    this.#show(upstream, circuit);
  }

  /** Puts an upstream back that was held. Whoever is out for another reason stays so, unless an operator says otherwise. */
  release(upstream: Upstream, rule: EjectionRule = "health check"): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return;
    circuit.release(rule);
    this.#show(upstream, circuit);
  }

  /** The upstream is gone for good. */
  forget(upstream: Upstream): void {
    this.#circuits.get(upstream)?.dispose();
    this.#circuits.delete(upstream);
  }

  /** Releases every circuit; what still ends afterwards makes no new one. */
  dispose(): void {
    this.#isDisposed = true;
    this.#sweep?.dispose();
    for (const circuit of this.#circuits.values()) circuit.dispose();
    this.#circuits.clear();
  }

  #succeed(upstream: Upstream, permit: CircuitPermit, hasServerError: boolean): void {
    this.#sweep?.count(upstream, hasServerError);
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined) return;
    if (hasServerError && isOfSweep(circuit.rule)) {
      // Out for answers like this one: it is no sign of recovery.
      if (permit.kind === "probe") circuit.settle(permit, "failure");
      return;
    }
    if (permit.kind === "panic") circuit.close(permit);
    else circuit.settle(permit, "success");
  }

  #fail(upstream: Upstream, permit: CircuitPermit, trips: boolean): void {
    if (upstream.removed || this.#isDisposed) return;
    this.#sweep?.count(upstream, true);
    if (permit.kind === "panic") return;
    const circuit = this.#circuits.get(upstream);
    if (circuit !== undefined) {
      circuit.settle(permit, "failure", trips);
      return;
    }
    // The permit is of no circuit, or of one that was dropped when all was quiet: a new circuit begins with this failure.
    this.#create(upstream).settle(permitOfFirstGeneration, "failure", trips);
  }

  #release(upstream: Upstream, permit: CircuitPermit): void {
    const circuit = this.#circuits.get(upstream);
    if (circuit === undefined || permit.kind === "panic") return;
    circuit.settle(permit, "neutral");
    this.#show(upstream, circuit);
  }

  /** An outlier, if the service can spare it. */
  #eject(upstream: Upstream, rule: EjectionRule): void {
    const { intervalMs = 10_000, baseEjectionMs = 30_000, maxEjectionMs = 300_000, maxEjectionPercent = 50 } = this.#ejection ?? {};
    if (!mayEject(this.#rotation(), maxEjectionPercent)) return;
    const level = this.#records.of(upstream).eject(this.#options.clock, intervalMs);
    const circuit = this.#circuits.get(upstream) ?? this.#create(upstream);
    circuit.trip(rule, { baseMs: Math.min(maxEjectionMs, baseEjectionMs * 2 ** (level - 1)), maxMs: maxEjectionMs });
  }

  /**
   * Leaves an instance alone for as long as it asks for, if the service can spare it: for no shorter, and for up to half as long again.
   * `true` where it asks for that.
   */
  #heed(upstream: Upstream, response: MeshResponse): boolean {
    if (response.status !== 429 && response.status !== 503) return false;
    const askedMs = retryAfterOf(response, this.#options.clock.wallNow());
    if (!askedMs || upstream.removed || this.#isDisposed) return false;
    const pauses = { baseMs: 1.25 * askedMs, maxMs: 1.25 * askedMs };
    const isOut = this.state(upstream) !== "available";
    if (isOut || mayEject(this.#rotation(), this.#ejection?.maxEjectionPercent ?? 50))
      (this.#circuits.get(upstream) ?? this.#create(upstream)).trip("retry-after", pauses);
    return true;
  }

  #rotation(): RotationCount {
    let gone = 0;
    let ejected = 0;
    const upstreams = this.#options.upstreams();
    // Not over the circuits: of a subset others may be out too.
    for (const upstream of upstreams) {
      const circuit = this.#circuits.get(upstream);
      if (circuit?.rule === undefined || circuit.state === "closed") continue;
      if (isCertain(circuit.rule)) gone++;
      else ejected++;
    }
    return { instances: upstreams.length, gone, ejected };
  }

  /** Whether an instance may go out for failures that may be everyone's. Of a single one nothing is gained by keeping it in. */
  readonly #mayOpen = (): boolean => {
    if (this.#ejection === undefined) return true;
    const rotation = this.#rotation();
    return rotation.instances < 2 || mayEject(rotation, this.#ejection.maxEjectionPercent ?? 50);
  };

  #create(upstream: Upstream): Circuit {
    const {
      failureRatio = 0.5,
      minCalls = 20,
      consecutiveFailures = 5,
      resetMs = 1_000,
      maxResetMs = 30_000,
      clock,
      random,
    } = this.#options;
    let before: BreakerState = "closed";
    const circuit = new Circuit({
      failureRatio,
      minOutcomes: minCalls,
      consecutiveFailures,
      pauses: { baseMs: resetMs, maxMs: maxResetMs },
      clock,
      random,
      mayOpen: this.#mayOpen,
      onState: (state) => {
        // What a sweep took out has been counted there: the length of its pause depends on it.
        const wasIn = before === "closed";
        if (wasIn && !isOfSweep(circuit.rule)) this.#records.of(upstream).eject(clock, this.#ejection?.intervalMs ?? 10_000);
        if (state === "closed") this.#records.of(upstream).readmit(clock);
        before = state;
        this.#show(upstream, circuit);
      },
      onProbeOverdue: () => this.#show(upstream, circuit),
      onQuiet: () => this.forget(upstream),
    });
    this.#circuits.set(upstream, circuit);
    return circuit;
  }

  /** Gives the upstream the state of its circuit, and reports a change. */
  #show(upstream: Upstream, circuit: Circuit): void {
    const former = upstream.state;
    const state = stateBy(circuit);
    upstream.setState(state, circuit.wantsProbe);
    if (state === former) return;
    const { service } = upstream;
    this.#options.events?.emit?.({ type: "instance-state", service, upstream, state, former, rule: circuit.rule });
  }
}

/** The state of an instance whose circuit this is. */
function stateBy({ state, rule }: Circuit): InstanceState {
  if (state === "closed") return "available";
  if (rule === "health check") return "unhealthy";
  return state === "half-open" ? "probing" : "ejected";
}

/** What the head of an answer has decided: all, success unless the body fails, or nothing yet. */
export type HeadVerdict = "settled" | "succeeded" | "open";

/**
 * A 5xx that is no gateway error: an answer, so no failure that a retry could mend, and one route alone may be broken. An instance that
 * gives no other is an outlier all the same, if the others do better.
 */
function isServerError(status: number): boolean {
  return status >= 500;
}

/** Out for what a sweep has counted: answers that are server errors count there. */
function isOfSweep(rule: EjectionRule | undefined): boolean {
  return rule === "success rate" || rule === "failure percentage";
}

/** No connection could be made: proof enough with a single failure. */
function isRefusal(error: unknown): boolean {
  return isMeshError(error) && (error.code === "ERR_MESH_CONNECT" || error.code === "ERR_MESH_TLS_PEER");
}
