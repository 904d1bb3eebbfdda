import type { Clock, Random } from "../core/clock.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { BreakerState } from "../core/observing/breaker-state.ts";
import type { Outcome } from "../core/outcome.ts";
import { type CircuitPermit, nextGeneration, permitOfFirstGeneration } from "./circuit-permit.ts";
import type { CircuitPhase, Closed, HalfOpen, Open } from "./circuit-phase.ts";
import { buckets, StateMachine } from "./opossum/state-machine.ts";
import { Outage } from "./outage.ts";
import { Pause, type Pauses, pauseMs } from "./pause.ts";
import { windowTimerOf } from "./window-timer.ts";

/** When a {@link Circuit} opens and how it comes back. */
export interface CircuitOptions {
  /** It opens when more than this share of the outcomes in the last 10 s are failures, 0–1. */
  readonly failureRatio: number;
  /** The fewest outcomes that `failureRatio` judges. */
  readonly minOutcomes: number;
  /** It also opens after this many failures in a row. */
  readonly consecutiveFailures: number;
  /** Pauses of outages that {@link Circuit.trip} gives no others. */
  readonly pauses: Pauses;
  readonly clock: Clock;
  readonly random: Random;
  /** Called after each change of the state. */
  readonly onState: (state: BreakerState, former: BreakerState) => void;
  /** Returning `false` vetoes the rules that may blame the wrong instance (failure ratio, failures in a row); the counters restart then. */
  readonly mayOpen?: () => boolean;
  /** Called when the probe has not ended for a whole window: another request may be one. */
  readonly onProbeOverdue?: () => void;
  /** Called when a closed circuit has seen no failure for a whole window: it may be disposed, and made anew at the next failure. */
  readonly onQuiet?: () => void;
}

/** More about a failure that is reported to a {@link Circuit}. */
export interface Failure {
  /** No connection could be made: proof enough to open. */
  readonly isRefused?: boolean;
  /** The response head had come, and its body failed. */
  readonly isInBody?: boolean;
}

/**
 * One circuit breaker. Each change of its state begins a new generation: an outcome of an earlier one, and a neutral one, is not counted. A
 * probe that takes longer than the window no longer keeps others from trying. Closing empties the window, since the failures in it would
 * open the circuit again at the next one.
 *
 * The state machine is opossum's, on the clock of the options. Its phase and that of the circuit are the same outside of this class's
 * methods, whichever of them changes first.
 */
export class Circuit {
  #options: CircuitOptions;
  readonly #machine: StateMachine;
  #phase: CircuitPhase = { state: "closed", failuresInRow: 0, ticksSinceFailure: undefined };
  /** The permit of all requests of this generation but its probes. */
  #permit = permitOfFirstGeneration;
  /** Whether the last failure was one of a body. */
  #failedInBody = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
    const { failureRatio, minOutcomes, clock } = options;
    this.#machine = new StateMachine({ failureRatio, minOutcomes, onOpen: this.#onMachineOpen, onClose: this.#onMachineClose });
    windowTimerOf(clock).join(this.#tick);
  }

  /** A disposed circuit is closed. */
  get state(): BreakerState {
    return this.#phase.state === "disposed" ? "closed" : this.#phase.state;
  }

  /** The rule that opened it, or one that holds it open; `undefined` while it is closed. */
  get rule(): EjectionRule | undefined {
    return outageOf(this.#phase)?.rule;
  }

  /** Whether it opened by failures of bodies, behind heads that were well: the head of a probe proves nothing then. */
  get isOutByBodies(): boolean {
    return outageOf(this.#phase)?.isOfBodies ?? false;
  }

  /** When it opened, in milliseconds since the epoch; `undefined` while it is closed. */
  get sinceMs(): number | undefined {
    return outageOf(this.#phase)?.sinceMs;
  }

  /** When its pause or its hold ends, in milliseconds since the epoch; `undefined` when neither is known to. */
  get untilMs(): number | undefined {
    const phase = this.#phase;
    return phase.state === "open" ? (phase.pause?.untilMs ?? phase.outage.heldUntilMs) : undefined;
  }

  /** The permit of a request that is made although {@link admit} gave none. */
  get panicPermit(): CircuitPermit {
    return { kind: "panic", generation: this.#permit.generation };
  }

  /** `true` while the circuit is half-open and its probe is not under way. */
  get wantsProbe(): boolean {
    return this.#phase.state === "half-open" && this.#phase.probe === undefined;
  }

  /** A permit, or `undefined` when the circuit is open or its one probe is under way. */
  admit(): CircuitPermit | undefined {
    const phase = this.#phase;
    if (phase.state === "closed" || phase.state === "disposed") return this.#permit;
    if (phase.state === "open" || phase.probe !== undefined) return undefined;
    const permit: CircuitPermit = { kind: "probe", generation: this.#permit.generation };
    phase.probe = { permit, ticks: 0 };
    return permit;
  }

  /** Takes other thresholds and pauses. State and outcomes stay; an outage that is under way keeps its pauses. */
  adjust(thresholds: Pick<CircuitOptions, "failureRatio" | "minOutcomes" | "consecutiveFailures" | "pauses">): void {
    if (this.#phase.state === "disposed") return;
    this.#options = { ...this.#options, ...thresholds };
    this.#machine.adjust(thresholds);
  }

  /** Reports how an admitted request ended. */
  settle(permit: CircuitPermit, outcome: Outcome, { isRefused = false, isInBody = false }: Failure = {}): void {
    const phase = this.#phase;
    if (permit.generation !== this.#permit.generation) return;
    if (outcome === "failure") this.#failedInBody = isInBody;
    if (phase.state === "closed") this.#count(phase, outcome, isRefused);
    else if (phase.state === "half-open") this.#endProbe(phase, permit, outcome);
  }

  /** Opens a closed circuit by a rule that is not its own, with pauses of these lengths. A circuit that is not closed gets these pauses from the next one on. */
  trip(rule: EjectionRule, pauses: Pauses): void {
    const phase = this.#phase;
    if (phase.state === "closed") this.#open(this.#newOutage(rule, pauses));
    else if (phase.state !== "disposed") phase.outage.pauses = pauses;
  }

  /** Opens it, whatever its state, and keeps it open until {@link release}, which is expected at `untilMs`: no pause ends and no request is a probe. */
  hold(rule: EjectionRule, untilMs?: number): void {
    const phase = this.#phase;
    if (phase.state === "disposed") return;
    const outage = outageOf(phase) ?? this.#newOutage(rule);
    outage.hold(rule, untilMs);
    if (phase.state !== "open") {
      this.#open(outage);
      return;
    }
    phase.pause?.cancel();
    phase.pause = undefined;
  }

  /** Ends the {@link hold} of `rule`, and closes the circuit unless another rule holds it. `operator` closes it without a hold, too. */
  release(rule: EjectionRule): void {
    const outage = outageOf(this.#phase);
    if (outage === undefined) return;
    const wasHeld = outage.letGo(rule);
    if ((wasHeld || rule === "operator") && !outage.isHeld) this.#close();
  }

  /** Closes an open circuit unless it is held: the request with this permit succeeded in spite of it. */
  close({ generation }: CircuitPermit): void {
    const outage = outageOf(this.#phase);
    if (outage !== undefined && !outage.isHeld && generation === this.#permit.generation) this.#close();
  }

  /** Releases every timer. Nothing is called afterwards. */
  dispose(): void {
    const phase = this.#phase;
    if (phase.state === "disposed") return;
    if (phase.state === "open") phase.pause?.cancel();
    this.#phase = { state: "disposed" };
    this.#machine.shutdown();
    windowTimerOf(this.#options.clock).leave(this.#tick);
  }

  #count(phase: Closed, outcome: Outcome, isRefused: boolean): void {
    if (outcome === "neutral") return;
    if (outcome === "success") {
      phase.failuresInRow = 0;
      this.#machine.addSuccess();
      return;
    }
    phase.failuresInRow++;
    phase.ticksSinceFailure = 0;
    this.#machine.report("failure");
    if (isRefused) this.#open(this.#newOutage("connection refused"));
    else if (phase.failuresInRow >= this.#options.consecutiveFailures) this.#openUnlessVetoed(phase, "consecutive failures");
  }

  #endProbe(phase: HalfOpen, permit: CircuitPermit, outcome: Outcome): void {
    if (outcome === "neutral") {
      // The probe told nothing: the next request is the probe.
      if (permit === phase.probe?.permit) phase.probe = undefined;
      return;
    }
    if (outcome === "failure") {
      phase.outage.failedProbes++;
      phase.outage.isOfBodies ||= this.#failedInBody;
    }
    this.#machine.report(outcome);
  }

  readonly #tick = (): void => {
    this.#machine.turnWindow();
    const phase = this.#phase;
    if (phase.state === "half-open" && phase.probe !== undefined && ++phase.probe.ticks > buckets) {
      phase.probe = undefined;
      this.#options.onProbeOverdue?.();
    }
    if (phase.state === "closed" && phase.ticksSinceFailure !== undefined && ++phase.ticksSinceFailure > buckets) {
      phase.ticksSinceFailure = undefined;
      this.#options.onQuiet?.();
    }
  };

  /** The machine has opened, by itself unless the circuit is open: a probe has failed, or too many outcomes have. */
  readonly #onMachineOpen = (): void => {
    const phase = this.#phase;
    if (phase.state === "half-open") this.#open(phase.outage);
    else if (phase.state === "closed") this.#openUnlessVetoed(phase, "failure ratio");
  };

  /** The machine has closed, by itself unless the circuit is closed: a probe has succeeded. */
  readonly #onMachineClose = (): void => {
    if (outageOf(this.#phase) !== undefined) this.#close();
  };

  readonly #onPauseOver = (): void => {
    const outage = outageOf(this.#phase);
    if (outage !== undefined) this.#enter({ state: "half-open", outage, probe: undefined });
  };

  #openUnlessVetoed(phase: Closed, rule: "failure ratio" | "consecutive failures"): void {
    if (this.#options.mayOpen?.() !== false) {
      this.#open(this.#newOutage(rule));
      return;
    }
    phase.failuresInRow = 0;
    this.#machine.close();
    this.#machine.emptyWindow();
  }

  #open(outage: Outage): void {
    this.#enter({ state: "open", outage, pause: outage.isHeld ? undefined : this.#beginPause(outage) });
  }

  #close(): void {
    this.#enter({ state: "closed", failuresInRow: 0, ticksSinceFailure: 0 });
  }

  /** Begins a generation in `phase`; the machine follows where it has not led. */
  #enter(phase: Closed | Open | HalfOpen): void {
    const former = this.#phase;
    if (former.state === "disposed") return;
    if (former.state === "open") former.pause?.cancel();
    this.#phase = phase;
    this.#permit = { kind: "normal", generation: nextGeneration() };
    if (phase.state === "open") this.#machine.open();
    else if (phase.state === "half-open") this.#machine.halfOpen();
    else {
      this.#machine.close();
      this.#machine.emptyWindow();
    }
    this.#options.onState(phase.state, former.state);
  }

  #newOutage(rule: EjectionRule, pauses: Pauses = this.#options.pauses): Outage {
    const outage = new Outage(rule, pauses, this.#options.clock.wallNow());
    outage.isOfBodies = this.#failedInBody && (rule === "consecutive failures" || rule === "failure ratio");
    return outage;
  }

  #beginPause({ pauses, failedProbes }: Outage): Pause {
    const { clock, random } = this.#options;
    return new Pause(clock, pauseMs(pauses, failedProbes, random), this.#onPauseOver);
  }
}

/** The outage of a circuit that is open or half-open. */
function outageOf(phase: CircuitPhase): Outage | undefined {
  return phase.state === "open" || phase.state === "half-open" ? phase.outage : undefined;
}
