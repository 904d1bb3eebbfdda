import type { Clock } from "../../core/clock.ts";
import type { MeshResponse } from "../../core/dispatch.ts";
import { outcomeOfError } from "../../core/outcome.ts";
import type { AttemptLearner } from "../picker.ts";
import { PeakEwma } from "./ewma.ts";
import { FailureRates } from "./failure-rates.ts";

/** Least part of the way down to a lower latency that one response moves the average: some dozen responses show a recovery. */
const minStep = 0.1;
/** A 4xx counts as half a failure: it is mostly the fault of the caller, and then common to all instances, and sometimes the instance's. */
const badnessOfRefusal = 0.5;

/** Constants and clock of a {@link TrackRecord}. */
export interface TrackRecordOptions {
  readonly decayMs: number;
  readonly failureHalfLifeMs: number;
  readonly clock: Clock;
}

/** Latency, failures and waiting attempts of one instance, as the adaptive picker learns them. */
export class TrackRecord extends PeakEwma {
  readonly failures: FailureRates = new FailureRates();
  /** Number of attempts that wait for their response head. */
  waiting = 0;
  /** Sum of the starts of these attempts, in whole milliseconds, so that it stays exact. */
  startedSum = 0;

  /**
   * Latency of successes, in milliseconds: an instance that fails fast must not look fast. It is the record itself, so that a pick
   * reads one object less.
   */
  get latency(): PeakEwma {
    return this;
  }

  /** Mean time that the waiting attempts have waited so far, in milliseconds. */
  meanAgeMs(now: number): number {
    return this.waiting > 0 ? now - this.startedSum / this.waiting : 0;
  }
}

/** Teaches a {@link TrackRecord} from one attempt. */
export class AttemptOnRecord implements AttemptLearner {
  readonly #record: TrackRecord;
  readonly #route: number;
  readonly #options: TrackRecordOptions;
  readonly #startedAt: number;
  #hasHead = false;

  constructor(record: TrackRecord, route: number, options: TrackRecordOptions) {
    this.#record = record;
    this.#route = route;
    this.#options = options;
    this.#startedAt = options.clock.now();
    record.waiting++;
    record.startedSum += Math.floor(this.#startedAt);
  }

  onHead({ status }: MeshResponse): void {
    const now = this.#stopWaiting();
    const badness = badnessOf(status);
    this.#record.failures.record(this.#route, badness, now, this.#options.failureHalfLifeMs, this.#startedAt);
    if (badness === 0) this.#record.latency.observe(now - this.#startedAt, now, this.#options.decayMs, minStep);
  }

  onEnd(error: unknown): void {
    if (error === undefined && this.#hasHead) return;
    const hadHead = this.#hasHead;
    const now = hadHead ? this.#options.clock.now() : this.#stopWaiting();
    const { latency, failures } = this.#record;
    const isFailure = outcomeOfError(error) === "failure";
    if (isFailure) failures.record(this.#route, 1, now, this.#options.failureHalfLifeMs, this.#startedAt);
    if (hadHead) return;
    // The attempt would have taken at least this long: an instance that hangs must not look fast because callers time out.
    const waitedMs = now - this.#startedAt;
    if ((latency.known || !isFailure) && waitedMs > latency.read(now, this.#options.decayMs)) {
      latency.observe(waitedMs, now, this.#options.decayMs);
    }
  }

  #stopWaiting(): number {
    this.#hasHead = true;
    this.#record.waiting--;
    this.#record.startedSum = this.#record.waiting === 0 ? 0 : this.#record.startedSum - Math.floor(this.#startedAt);
    return this.#options.clock.now();
  }
}

/** The part of a failure that a response counts as, by its status: 0 to 1. */
export function badnessOf(status: number): number {
  if (status >= 500 || status === 429) return 1;
  return status >= 400 ? badnessOfRefusal : 0;
}
