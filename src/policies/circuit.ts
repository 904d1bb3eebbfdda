import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import type { Random } from "../core/clock.ts";
import type { BreakerState } from "../core/observer.ts";
import type { Outcome } from "../core/outcome.ts";

/** The part of opossum's CircuitBreaker that is used here; the package ships no types. */
interface Opossum extends EventEmitter {
  readonly options: { resetTimeout: number };
  readonly opened: boolean;
  readonly halfOpen: boolean;
  readonly closed: boolean;
  fire(outcome: Outcome): Promise<void>;
  open(): void;
  close(): void;
  shutdown(): void;
}

type OpossumClass = new (action: (outcome: Outcome) => Promise<void>, options: Record<string, unknown>) => Opossum;

// opossum is CommonJS; loading it this way keeps the module graph free of interop guesses.
const CircuitBreaker = createRequire(import.meta.url)("opossum") as OpossumClass;

const windowMs = 10_000;
const buckets = 10;

/** When a {@link Circuit} opens and how it comes back. */
export interface CircuitOptions {
  /** Opens when more than this share of the outcomes in the last 10 s are failures, 0–1. */
  readonly failureRatio: number;
  /** … and at least so many outcomes were counted. */
  readonly minOutcomes: number;
  /** Also opens after so many failures in a row. */
  readonly consecutiveFailures: number;
  /** The first pause before a probe, in milliseconds; it doubles with every probe that fails. */
  readonly baseResetMs: number;
  readonly maxResetMs: number;
  readonly random: Random;
  readonly onState: (state: BreakerState) => void;
  /** Nothing has failed for a whole window: the circuit may be disposed and made anew at the next failure. */
  readonly onQuiet?: () => void;
}

/** A permission to make one request; its outcome is reported back with it. */
export interface Permit {
  readonly generation: number;
  readonly isProbe: boolean;
}

/**
 * One circuit breaker: opossum is the state machine (open, half-open, closed, its rolling window and its timer), this is the
 * fence around it.
 *
 * Outcomes are handed to opossum when they are known (`fire` is called with the outcome, not around the work), because
 * around the work opossum counts an error it should ignore as a success, lets a failure that began before the trip re-open
 * a breaker that a probe has just closed, and stays half-open for ever behind a probe that never ends. An outcome of an
 * earlier generation, or a neutral one, is not handed over at all.
 *
 * While there has been no failure for a window nothing is counted either: a healthy service pays one comparison a call.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #breaker: Opossum;
  #generation = 0;
  #isProbing = false;
  #failuresInRow = 0;
  #failedProbes = 0;
  #isCounting = false;
  #quietTicks = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(report, {
      timeout: false,
      errorThresholdPercentage: options.failureRatio * 100,
      volumeThreshold: options.minOutcomes,
      resetTimeout: options.baseResetMs,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: buckets,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation.emitter,
    });
    rotation.join(this.#tick);
    this.#breaker.on("open", () => this.#enter("open"));
    this.#breaker.on("halfOpen", () => this.#enter("half-open"));
    this.#breaker.on("close", () => this.#enter("closed"));
  }

  get state(): BreakerState {
    if (this.#breaker.opened) return "open";
    return this.#breaker.halfOpen ? "half-open" : "closed";
  }

  /** A permit, or `undefined` when the circuit is open or its one probe is under way. */
  admit(): Permit | undefined {
    if (this.#breaker.closed) return { generation: this.#generation, isProbe: false };
    if (this.#breaker.opened || this.#isProbing) return undefined;
    this.#isProbing = true;
    return { generation: this.#generation, isProbe: true };
  }

  /** Reports how a permitted request ended. `trips`: this failure alone is proof enough to open. */
  settle(permit: Permit, outcome: Outcome, trips = false): void {
    if (permit.generation !== this.#generation) return;
    if (outcome === "neutral") {
      // The probe told nothing: the next request is the probe.
      if (permit.isProbe) this.#isProbing = false;
      return;
    }
    if (outcome === "success") {
      this.#failuresInRow = 0;
      if (!permit.isProbe && !this.#isCounting) return;
    } else {
      this.#isCounting = true;
      this.#quietTicks = 0;
      this.#failuresInRow++;
      // Before opossum sees the failure: it reads the pause when it opens.
      this.#breaker.options.resetTimeout = this.#nextResetMs(permit.isProbe);
    }
    this.#breaker.fire(outcome).catch(ignore);
    if (outcome === "failure" && this.#breaker.closed && (trips || this.#failuresInRow >= this.#options.consecutiveFailures)) {
      this.#breaker.open();
    }
  }

  /** Closes an open circuit: something went through in spite of it. */
  close(): void {
    this.#breaker.close();
  }

  /** Releases opossum's timers and listeners. */
  dispose(): void {
    this.#breaker.removeAllListeners("open").removeAllListeners("halfOpen").removeAllListeners("close");
    this.#breaker.shutdown();
    rotation.leave(this.#tick);
  }

  readonly #tick = (): void => {
    if (!this.#isCounting || !this.#breaker.closed) return;
    if (++this.#quietTicks > buckets) this.#isCounting = false;
    if (!this.#isCounting) this.#options.onQuiet?.();
  };

  #enter(state: BreakerState): void {
    this.#generation++;
    this.#isProbing = false;
    if (state === "closed") {
      this.#failuresInRow = 0;
      this.#failedProbes = 0;
    }
    this.#options.onState(state);
  }

  #nextResetMs(afterProbe: boolean): number {
    const { baseResetMs, maxResetMs, random } = this.#options;
    if (afterProbe) this.#failedProbes++;
    // ±20 %: instances that went down together must not be probed by every client at the same moment.
    return Math.min(maxResetMs, baseResetMs * 2 ** this.#failedProbes) * (0.8 + 0.4 * random());
  }
}

function ignore(): void {}

const failed = new Error("the attempt failed");

/** opossum's action: the outcome is known already. */
function report(outcome: Outcome): Promise<void> {
  return outcome === "success" ? Promise.resolve() : Promise.reject(failed);
}

/**
 * One unref'ed timer turns the windows of all circuits of the process and stops with the last of them; opossum's own would
 * be an interval each (10,000 breakers: 20,000 intervals, 12 % of a core).
 */
const rotation = {
  emitter: new EventEmitter().setMaxListeners(0),
  ticks: new Set<() => void>(),
  timer: undefined as NodeJS.Timeout | undefined,
  join(tick: () => void): void {
    this.ticks.add(tick);
    this.timer ??= setInterval(() => {
      this.emitter.emit("rotate");
      for (const each of this.ticks) each();
    }, windowMs / buckets).unref();
  },
  leave(tick: () => void): void {
    this.ticks.delete(tick);
    if (this.ticks.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  },
};
