import { EventEmitter } from "node:events";
import CircuitBreaker, { type Bucket, type Opossum } from "opossum";
import type { Random } from "../core/clock.ts";
import type { BreakerState } from "../core/observer.ts";
import { maxTimerMs } from "../core/options.ts";
import type { Outcome } from "../core/outcome.ts";

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
  /** The probe has not ended for a whole window: another request may be one. */
  readonly onProbeOverdue?: () => void;
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
 * earlier generation, or a neutral one, is not handed over at all; a probe that takes longer than the window no longer
 * keeps others from trying; and closing empties the window, whose old failures would open the breaker at the next one.
 *
 * A success in a closed breaker changes no state, so it is added to opossum's window without an event and a promise: a
 * healthy service pays two additions a call.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #breaker: Opossum<Outcome>;
  #bucket: Bucket;
  /** 0 until the first change of state, then a number that no other circuit has: permits outlive circuits. */
  #generation = 0;
  #probe: Permit | undefined = undefined;
  #probeTicks = 0;
  #failuresInRow = 0;
  #failedProbes = 0;
  #hasFailed = false;
  #quietTicks = 0;
  #isDisposed = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker<Outcome>(report, {
      timeout: false,
      errorThresholdPercentage: options.failureRatio * 100,
      // opossum takes a number with a fraction for none at all, and opens at the first failure then.
      volumeThreshold: Math.ceil(options.minOutcomes),
      resetTimeout: options.baseResetMs,
      rollingCountTimeout: windowMs,
      rollingCountBuckets: buckets,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: rotation.emitter,
    });
    this.#bucket = this.#currentBucket();
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
    if (this.#breaker.closed || this.#isDisposed) return { generation: this.#generation, isProbe: false };
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
    this.#isDisposed = true;
    this.#breaker.removeAllListeners("open").removeAllListeners("halfOpen").removeAllListeners("close");
    this.#breaker.shutdown();
    rotation.leave(this.#tick);
  }

  readonly #tick = (): void => {
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

  #enter(state: BreakerState): void {
    this.#generation = ++generations;
    this.#probe = undefined;
    if (state === "closed") {
      this.#failuresInRow = 0;
      this.#failedProbes = 0;
      for (let index = 0; index < buckets; index++) this.#breaker.status.rotateBucket();
      this.#bucket = this.#currentBucket();
    }
    this.#options.onState(state);
  }

  #nextResetMs(afterProbe: boolean): number {
    const { baseResetMs, maxResetMs, random } = this.#options;
    if (afterProbe) this.#failedProbes++;
    // ±20 %: instances that went down together must not be probed by every client at the same moment.
    return Math.min(maxTimerMs, Math.min(maxResetMs, baseResetMs * 2 ** this.#failedProbes) * (0.8 + 0.4 * random()));
  }
}

let generations = 0;

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
