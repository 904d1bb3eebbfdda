import type { Bucket, Opossum, OpossumState } from "opossum";
import type { Outcome } from "../../core/outcome.ts";
import { maxTimerMs } from "../../core/settings/checks.ts";
import { load } from "./opossum-package.cjs";

const CircuitBreaker = load();

/** Length of a bucket of the rolling window, in milliseconds. */
export const bucketMs = 1_000;

/** Number of buckets in the rolling window: it holds the outcomes of the last ten seconds. */
export const buckets = 10;

/** Thresholds of a {@link StateMachine}, and its callbacks. */
export interface StateMachineOptions {
  /** It opens when more than this share of the outcomes in the window are failures, 0–1. */
  readonly failureRatio: number;
  /** The fewest outcomes in the window that `failureRatio` judges. */
  readonly minOutcomes: number;
  /** Called when it has opened, by itself or by {@link StateMachine.open}. */
  readonly onOpen: () => void;
  /** Called when it has closed, by itself or by {@link StateMachine.close}. */
  readonly onClose: () => void;
}

/**
 * opossum behind a fence: closed, open or half-open, without a timer that matters. It opens by itself when too many outcomes in the window
 * are failures or when a probe fails, and closes by itself when a probe succeeds, each a few microtasks after the report.
 */
export class StateMachine {
  #options: StateMachineOptions;
  /** Whether the thresholds have changed while it was not closed: they hold from its closing on. */
  #isOutdated = false;
  #opossum: Opossum<Outcome>;
  #bucket: Bucket;

  constructor(options: StateMachineOptions) {
    this.#options = options;
    this.#opossum = opossumOf(options);
    this.#bucket = currentBucketOf(this.#opossum);
  }

  /** Reports a failure in a closed machine, or how a probe ended. */
  report(outcome: Exclude<Outcome, "neutral">): void {
    this.#opossum.fire(outcome).catch(ignore);
  }

  /** Reports a success in a closed machine, which changes no state: two additions, without an event and a promise. */
  addSuccess(): void {
    this.#bucket.fires++;
    this.#bucket.successes++;
  }

  /** Takes other thresholds. The outcomes of the window stay. */
  adjust(thresholds: Pick<StateMachineOptions, "failureRatio" | "minOutcomes">): void {
    this.#options = { ...this.#options, ...thresholds };
    this.#isOutdated = true;
    if (this.#opossum.closed) this.#renew(this.#opossum.status);
  }

  /** Opens it; no effect when it is open. */
  open(): void {
    this.#opossum.open();
  }

  /** Closes it; no effect when it is closed. */
  close(): void {
    this.#opossum.close();
  }

  /** Makes it half-open, with an empty window: the next report is of a probe. */
  halfOpen(): void {
    this.#opossum.shutdown();
    this.#opossum = opossumOf(this.#options, { closed: false, halfOpen: true });
    this.#bucket = currentBucketOf(this.#opossum);
  }

  /** Begins a new bucket and drops the oldest one. */
  turnWindow(): void {
    this.#opossum.status.rotateBucket();
    this.#bucket = currentBucketOf(this.#opossum);
  }

  /** Drops all outcomes. */
  emptyWindow(): void {
    if (this.#isOutdated) {
      this.#renew();
      return;
    }
    for (let index = 0; index < buckets; index++) this.#opossum.status.rotateBucket();
    this.#bucket = currentBucketOf(this.#opossum);
  }

  /** A closed one by the options, with these outcomes. */
  #renew(status?: Opossum<Outcome>["status"]): void {
    this.#isOutdated = false;
    this.#opossum.shutdown();
    this.#opossum = opossumOf(this.#options, undefined, status);
    this.#bucket = currentBucketOf(this.#opossum);
  }

  /** Ends it: no callback follows, and no timer is left. */
  shutdown(): void {
    this.#opossum.shutdown();
  }
}

function opossumOf(
  { failureRatio, minOutcomes, onOpen, onClose }: StateMachineOptions,
  state?: OpossumState,
  status?: Opossum<Outcome>["status"],
): Opossum<Outcome> {
  const opossum = new CircuitBreaker<Outcome>(report, {
    timeout: false,
    errorThresholdPercentage: failureRatio * 100,
    // opossum ignores a number with a fraction, and opens at the first failure then.
    volumeThreshold: Math.ceil(minOutcomes),
    // Its timer for half-open is set for the longest time there is, and cleared with it.
    resetTimeout: maxTimerMs,
    rollingCountTimeout: buckets * bucketMs,
    rollingCountBuckets: buckets,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: nothingRotates,
    ...(state && { state }),
    ...(status && { status }),
  });
  opossum.on("open", onOpen);
  opossum.on("close", onClose);
  return opossum;
}

function currentBucketOf(opossum: Opossum<Outcome>): Bucket {
  return opossum.status.window[0] as Bucket;
}

/** Stands in for the emitter that turns opossum's windows, so that opossum sets no interval. */
const nothingRotates = { on: ignore, removeListener: ignore, listenerCount: () => 0 };

const failed = new Error("the attempt failed");

/** opossum's action: the outcome is known already. */
function report(outcome: Outcome): Promise<void> {
  return outcome === "success" ? Promise.resolve() : Promise.reject(failed);
}

function ignore(): void {}
