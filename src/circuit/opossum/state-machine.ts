import CircuitBreaker, { type Opossum, type OpossumState } from "opossum";
import { maxTimerMs } from "../../core/options.ts";
import type { Outcome } from "../../core/outcome.ts";
import { bucketMs } from "../window-timer.ts";

/** What differs between the state machines of circuits. */
export interface StateMachineOptions {
  readonly failureRatio: number;
  readonly minOutcomes: number;
  readonly buckets: number;
  readonly state: OpossumState | undefined;
}

/** opossum, told outcomes that are known already and without a timer that matters. */
export function stateMachine({ failureRatio, minOutcomes, buckets, state }: StateMachineOptions): Opossum<Outcome> {
  return new CircuitBreaker<Outcome>(report, {
    timeout: false,
    errorThresholdPercentage: failureRatio * 100,
    // opossum takes a number with a fraction for none at all, and opens at the first failure then.
    volumeThreshold: Math.ceil(minOutcomes),
    resetTimeout: maxTimerMs,
    rollingCountTimeout: buckets * bucketMs,
    rollingCountBuckets: buckets,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: nothingRotates,
    ...(state && { state }),
  });
}

/** Stands in for the emitter that turns opossum's windows, so that it makes no interval: a circuit turns its window itself. */
const nothingRotates = { on: ignore, removeListener: ignore, listenerCount: () => 0 };

const failed = new Error("the attempt failed");

/** opossum's action: the outcome is known already. */
function report(outcome: Outcome): Promise<void> {
  return outcome === "success" ? Promise.resolve() : Promise.reject(failed);
}

function ignore(): void {}
