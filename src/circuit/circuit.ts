import type { Bucket, Opossum, OpossumState } from "opossum";
import type { BreakerState } from "../core/breaker-state.ts";
import type { Clock, Random, Timer } from "../core/clock.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import { maxTimerMs } from "../core/options.ts";
import type { Outcome } from "../core/outcome.ts";
import { stateMachine } from "./opossum/state-machine.ts";
import { windowTimerOf } from "./window-timer.ts";

const buckets = 10;

/** How long a circuit stays open, in milliseconds, before it is varied by ± 20 %: `baseMs` first, twice as long after each probe that fails. */
export interface Pauses {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** When a {@link Circuit} opens and how it comes back. */
export interface CircuitOptions {
  /** Opens when more than this share of the outcomes in the last 10 s are failures, 0–1. */
  readonly failureRatio: number;
  /** … and at least so many outcomes were counted. */
  readonly minOutcomes: number;
  /** Also opens after so many failures in a row. */
  readonly consecutiveFailures: number;
  readonly pauses: Pauses;
  readonly clock: Clock;
  readonly random: Random;
  readonly onState: (state: BreakerState) => void;
  /** Asked before it opens for what can be wrong; when refused it stays closed and counts anew. */
  readonly mayOpen?: () => boolean;
  /** The probe has not ended for a whole window: another request may be one. */
  readonly onProbeOverdue?: () => void;
  /** Nothing has failed for a whole window: the circuit may be disposed and made anew at the next failure. */
  readonly onQuiet?: () => void;
}

/** A permission to make one request; its outcome is reported back with it. */
export interface Permit {
  readonly generation: number;
  readonly isProbe: boolean;
  /** It was made although the circuit lets nobody through: nobody else was left. */
  readonly isPanic?: boolean;
}

/**
 * One circuit breaker: opossum is the state machine (open, half-open, closed, its one probe and its rolling window), this is
 * the fence around it.
 *
 * Outcomes are handed to opossum when they are known (`fire` is called with the outcome, not around the work), because
 * around the work opossum counts an error it should ignore as a success, lets a failure that began before the trip re-open
 * a breaker that a probe has just closed, and stays half-open for ever behind a probe that never ends. An outcome of an
 * earlier generation, or a neutral one, is not handed over at all; a probe that takes longer than the window no longer
 * keeps others from trying; and closing empties the window, whose old failures would open the breaker at the next one.
 *
 * A success in a closed breaker changes no state, so it is added to opossum's window without an event and a promise: a
 * healthy service pays two additions a call.
 *
 * Time is the clock's, so that the same circuits run in virtual time: opossum's own timers know no clock. Its windows are
 * turned from outside, and at the end of a pause a new instance takes over that is half-open from the start (opossum's
 * `state` option); the timer of the old one, set for the longest time there is, goes with it.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #breaker: Opossum<Outcome>;
  #bucket: Bucket;
  #state: BreakerState = "closed";
  #pauses: Pauses;
  #pause: Timer = undefined;
  #rule: EjectionRule | undefined = undefined;
  #sinceMs = 0;
  #untilMs: number | undefined = undefined;
  /** By whom it is held, and until when. */
  readonly #holders = new Map<EjectionRule, number | undefined>();
  /** 0 until the first change of state, then a number that no other circuit has: permits outlive circuits. */
  #generation = 0;
  /** The same for all requests of a generation: only a probe has to be told from others. */
  #permit: Permit = { generation: 0, isProbe: false };
  #probe: Permit | undefined = undefined;
  #probeTicks = 0;
  #failuresInRow = 0;
  #failedProbes = 0;
  #hasFailed = false;
  #quietTicks = 0;
  #isDisposed = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#pauses = options.pauses;
    this.#breaker = this.#make();
    this.#bucket = this.#currentBucket();
    windowTimerOf(options.clock).join(this.#tick);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** What opened it; `undefined` while it is closed. */
  get rule(): EjectionRule | undefined {
    return this.#rule;
  }

  /** When it opened, in milliseconds since the epoch; 0 while it is closed. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** When its pause ends, in milliseconds since the epoch; `undefined` when none is running. */
  get untilMs(): number | undefined {
    return this.#untilMs ?? (this.#rule && this.#holders.get(this.#rule));
  }

  /** For a request that is made although {@link admit} gave no permit. */
  get panicPermit(): Permit {
    return { generation: this.#generation, isProbe: false, isPanic: true };
  }

  /** A permit, or `undefined` when the circuit is open or its one probe is under way. */
  admit(): Permit | undefined {
    if (this.#breaker.closed || this.#isDisposed) return this.#permit;
    if (!this.wantsProbe) return undefined;
    this.#probe = { generation: this.#generation, isProbe: true };
    this.#probeTicks = 0;
    return this.#probe;
  }

  /** `true` while the circuit is half-open and its probe is not under way. */
  get wantsProbe(): boolean {
    return this.#breaker.halfOpen && this.#probe === undefined;
  }

  /** Reports how a permitted request ended. `trips`: this failure alone is proof enough to open. */
  settle(permit: Permit, outcome: Outcome, trips = false): void {
    if (permit.generation !== this.#generation || this.#isDisposed) return;
    if (outcome === "neutral") {
      // The probe told nothing: the next request is the probe.
      if (permit === this.#probe) this.#probe = undefined;
      return;
    }
    if (outcome === "success") {
      this.#failuresInRow = 0;
      if (!permit.isProbe) {
        this.#bucket.fires++;
        this.#bucket.successes++;
        return;
      }
    } else {
      this.#hasFailed = true;
      this.#quietTicks = 0;
      this.#failuresInRow++;
      if (permit.isProbe) this.#failedProbes++;
    }
    this.#breaker.fire(outcome).catch(ignore);
    if (outcome === "success" || !this.#breaker.closed) return;
    if (trips) this.#open("connection refused");
    else if (this.#failuresInRow >= this.#options.consecutiveFailures) this.#open("consecutive failures");
  }

  /** Opens a closed circuit by a rule that looks at more than this one. Of any other the next pause is as long. */
  trip(rule: EjectionRule, pauses: Pauses): void {
    if (this.#isDisposed) return;
    this.#pauses = pauses;
    if (this.#breaker.closed) this.#open(rule);
  }

  /** Opens it without a pause that would end, whatever its state: until {@link release}, which is expected at `untilMs`. */
  hold(rule: EjectionRule, untilMs?: number): void {
    if (this.#isDisposed) return;
    this.#holders.set(rule, untilMs);
    this.#clearPause();
    if (!this.#breaker.opened) this.#open(rule);
    this.#rule = rule;
  }

  /** Ends the {@link hold} of `rule`, and closes it unless another one holds it. An operator's word closes it without a hold, too. */
  release(rule: EjectionRule): void {
    if (this.#isDisposed || !(this.#holders.delete(rule) || rule === "operator")) return;
    const [left] = this.#holders.keys();
    if (left === undefined) this.#breaker.close();
    else this.#rule = left;
  }

  /** Closes an open circuit that nobody holds: something went through in spite of it. */
  close({ generation }: Permit): void {
    if (this.#holders.size === 0 && !this.#isDisposed && generation === this.#generation) this.#breaker.close();
  }

  /** Releases the timers, and opossum's. */
  dispose(): void {
    this.#isDisposed = true;
    this.#state = "closed";
    this.#clearPause();
    this.#breaker.shutdown();
    windowTimerOf(this.#options.clock).leave(this.#tick);
  }

  #make(state?: OpossumState): Opossum<Outcome> {
    const { failureRatio, minOutcomes } = this.#options;
    const breaker = stateMachine({ failureRatio, minOutcomes, buckets, state });
    breaker.on("open", () => this.#enter("open"));
    breaker.on("close", () => this.#enter("closed"));
    return breaker;
  }

  readonly #tick = (): void => {
    this.#breaker.status.rotateBucket();
    this.#bucket = this.#currentBucket();
    if (this.#probe !== undefined && ++this.#probeTicks > buckets) {
      this.#probe = undefined;
      this.#options.onProbeOverdue?.();
    }
    if (!this.#hasFailed || !this.#breaker.closed || ++this.#quietTicks <= buckets) return;
    this.#hasFailed = false;
    this.#options.onQuiet?.();
  };

  #currentBucket(): Bucket {
    return this.#breaker.status.window[0] as Bucket;
  }

  #open(rule: EjectionRule): void {
    this.#rule = rule;
    this.#hasFailed = true;
    this.#quietTicks = 0;
    this.#breaker.open();
  }

  #enter(state: BreakerState): void {
    const { clock, mayOpen, onState } = this.#options;
    if (state === this.#state) return;
    if (state === "open" && this.#state === "closed") {
      // Nobody said why: opossum's own count.
      this.#rule ??= "failure ratio";
      if ((this.#rule === "failure ratio" || this.#rule === "consecutive failures") && mayOpen?.() === false) {
        this.#clear();
        // Back at once, so that nobody sees it open: the state in between is not told.
        this.#breaker.close();
        return;
      }
      this.#sinceMs = clock.wallNow();
    }
    this.#state = state;
    this.#generation = ++generations;
    this.#permit = { generation: this.#generation, isProbe: false };
    this.#probe = undefined;
    this.#clearPause();
    if (state === "open" && this.#holders.size === 0) {
      const pauseMs = this.#nextPauseMs();
      this.#untilMs = clock.wallNow() + pauseMs;
      this.#pause = clock.setTimer(this.#onPauseOver, pauseMs, false);
    }
    if (state === "closed") this.#clear();
    onState(state);
  }

  /** Forgets what led to the last opening. */
  #clear(): void {
    this.#rule = undefined;
    this.#sinceMs = 0;
    this.#pauses = this.#options.pauses;
    this.#failuresInRow = 0;
    this.#failedProbes = 0;
    for (let index = 0; index < buckets; index++) this.#breaker.status.rotateBucket();
    this.#bucket = this.#currentBucket();
  }

  readonly #onPauseOver = (): void => {
    this.#breaker.shutdown();
    this.#breaker = this.#make({ closed: false, halfOpen: true });
    this.#bucket = this.#currentBucket();
    this.#enter("half-open");
  };

  #clearPause(): void {
    if (this.#pause !== undefined) this.#options.clock.clearTimer(this.#pause);
    this.#pause = undefined;
    this.#untilMs = undefined;
  }

  #nextPauseMs(): number {
    const { baseMs, maxMs } = this.#pauses;
    // ±20 %: instances that went down together must not be probed by every client at the same moment.
    return Math.min(maxTimerMs, Math.min(maxMs, baseMs * 2 ** this.#failedProbes) * (0.8 + 0.4 * this.#options.random()));
  }
}

let generations = 0;

function ignore(): void {}
