import type { EjectionRule } from "../../src/core/ejection-rule.ts";
import type { BreakerState } from "../../src/core/observing/breaker-state.ts";

/** The breakers' options under which the model is exact: no rates, and pauses that chance does not vary. */
export const modelled = { consecutiveFailures: 3, breakMs: 1_000, maxBreakMs: 8_000, maxEjectionPercent: 50 } as const;

/** After so long without a failure a circuit may be forgotten, after that long it has been; likewise a probe that does not end. */
const [quietMs, surelyQuietMs] = [10_000, 11_000] as const;

/** What an attempt was given at its start. */
export interface ModelPermit {
  readonly kind: "normal" | "probe" | "panic";
  readonly epoch: number;
  readonly atMs: number;
}

/** One instance's circuit as a reader of the documentation would keep it. */
export class ModelCircuit {
  state: BreakerState = "closed";
  rule: EjectionRule | undefined = undefined;
  isHeld = false;
  /** Whether it opened by failures of bodies. */
  isOfBodies = false;
  /** One more with each change of state: what began in an earlier one says nothing any more. */
  epoch = 0;
  probe: ModelPermit | undefined = undefined;
  untilMs: number | undefined = undefined;
  /** Failures in a row: at least and at most, since a quiet circuit is forgotten at some time between two bounds. */
  #atLeast = 0;
  #atMost = 0;
  /** The last failure that counted: at the earliest and at the latest. */
  #earliestMs = Number.NEGATIVE_INFINITY;
  #latestMs = Number.NEGATIVE_INFINITY;
  /** When it may last have been forgotten. */
  #forgottenMs = Number.NEGATIVE_INFINITY;
  #failedProbes = 0;
  #pauses: { baseMs: number; maxMs: number } = { baseMs: modelled.breakMs, maxMs: modelled.maxBreakMs };

  get isOut(): boolean {
    return this.state !== "closed";
  }

  /** Lets what time alone does happen up to `nowMs`. */
  pass(nowMs: number): void {
    if (this.untilMs !== undefined && this.untilMs <= nowMs) this.#enter("half-open", this.untilMs);
    if (this.state !== "closed") return;
    if (nowMs - this.#earliestMs >= quietMs) {
      this.#atLeast = 0;
      if (this.#latestMs > Number.NEGATIVE_INFINITY) this.#forgottenMs = nowMs;
    }
    if (nowMs - this.#latestMs > surelyQuietMs) this.#atMost = 0;
  }

  /** Whether a permit is of this epoch; `undefined` where the circuit may have been forgotten since, and with it what it knew. */
  #isCurrent(permit: ModelPermit): boolean | undefined {
    return permit.atMs <= this.#forgottenMs ? undefined : permit.epoch === this.epoch;
  }

  /** `undefined`: it cannot be told whether the probe is overdue. */
  isProbing(nowMs: number): boolean | undefined {
    if (this.probe === undefined) return false;
    const ageMs = nowMs - this.probe.atMs;
    return ageMs > surelyQuietMs ? false : ageMs < quietMs ? true : undefined;
  }

  admit(nowMs: number, isRealProbe: boolean): ModelPermit {
    if (this.state === "closed") return { kind: "normal", epoch: this.epoch, atMs: nowMs };
    const mayProbe = this.state === "half-open" && (this.isProbing(nowMs) ?? !isRealProbe) === false;
    const permit: ModelPermit = { kind: mayProbe ? "probe" : "panic", epoch: this.epoch, atMs: nowMs };
    if (mayProbe) this.probe = permit;
    return permit;
  }

  neutral(permit: ModelPermit): void {
    if (permit === this.probe) this.probe = undefined;
  }

  succeed(permit: ModelPermit, nowMs: number): void {
    const isCurrent = this.#isCurrent(permit);
    if (permit.kind === "panic") {
      // Something came through in spite of it.
      if (permit.epoch === this.epoch && !this.isHeld && this.state !== "closed") this.#enter("closed", nowMs);
      return;
    }
    if (isCurrent === false) return;
    if (permit.kind === "probe" && isCurrent) this.#enter("closed", nowMs);
    else if (permit.kind === "normal") {
      this.#atLeast = 0;
      if (isCurrent) this.#atMost = 0;
    }
  }

  /** `mayOpen` is asked where the rule can be wrong; `openedBy`: what the real one is open by, for what cannot be known. */
  fail(permit: ModelPermit, isRefused: boolean, nowMs: number, mayOpen: () => boolean, openedBy: EjectionRule | undefined): void {
    const isCurrent = this.#isCurrent(permit);
    if (permit.kind === "panic" || isCurrent === false) return;
    if (isCurrent && permit.kind === "probe") {
      this.#failedProbes++;
      this.#earliestMs = this.#latestMs = nowMs;
      this.#enter("open", nowMs);
      return;
    }
    if (this.state !== "closed") return;
    this.#latestMs = nowMs;
    this.#atMost++;
    if (isCurrent) {
      this.#earliestMs = nowMs;
      this.#atLeast++;
    }
    if (isRefused) {
      if (isCurrent || openedBy === "connection refused") this.open("connection refused", nowMs);
      return;
    }
    const { consecutiveFailures } = modelled;
    if (this.#atMost < consecutiveFailures) return;
    const isSure = this.#atLeast >= consecutiveFailures;
    if (!mayOpen()) {
      if (isSure) this.#forgive();
      // It may have been forgiven.
      else this.#atLeast = 0;
    } else if (isSure || openedBy === "consecutive failures") this.open("consecutive failures", nowMs);
    else this.#atMost = consecutiveFailures - 1;
  }

  open(rule: EjectionRule, nowMs: number, pauseMs?: number): void {
    if (pauseMs !== undefined) this.#pauses = { baseMs: pauseMs, maxMs: pauseMs };
    this.rule = rule;
    this.isOfBodies = false;
    this.#earliestMs = this.#latestMs = nowMs;
    this.#enter("open", nowMs);
  }

  /** It asks to be left alone once more: its next pause is as long. */
  askAgain(pauseMs: number): void {
    this.#pauses = { baseMs: pauseMs, maxMs: pauseMs };
  }

  hold(nowMs: number): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.#earliestMs = this.#latestMs = nowMs;
    if (this.state === "closed") this.isOfBodies = false;
    if (this.state !== "open") this.#enter("open", nowMs);
    this.rule = "health check";
    this.untilMs = undefined;
  }

  release(nowMs: number): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#enter("closed", nowMs);
  }

  #enter(state: BreakerState, nowMs: number): void {
    this.state = state;
    this.epoch++;
    this.probe = undefined;
    this.untilMs = undefined;
    if (state === "open" && !this.isHeld) {
      const { baseMs, maxMs } = this.#pauses;
      this.untilMs = nowMs + Math.min(maxMs, baseMs * 2 ** this.#failedProbes);
    }
    if (state === "closed") {
      this.rule = undefined;
      this.#pauses = { baseMs: modelled.breakMs, maxMs: modelled.maxBreakMs };
      this.#forgive();
    }
  }

  #forgive(): void {
    this.#atLeast = 0;
    this.#atMost = 0;
    this.#failedProbes = 0;
  }
}
