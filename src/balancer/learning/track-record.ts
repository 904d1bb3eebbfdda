import type { Clock } from "../../core/clock.ts";
import type { MeshResponse } from "../../core/dispatch.ts";
import { isMeshError } from "../../core/errors.ts";
import { isGatewayError, outcomeOfError } from "../../core/outcome.ts";
import { countedStatus } from "../../core/rpc/rpc-outcome.ts";
import type { AttemptLearner } from "../picker.ts";
import { FailureMemory } from "./failure-memory.ts";
import { stepAfter } from "./failure-rate.ts";
import type { FailureShare } from "./failure-share.ts";
import { LatencyEstimate } from "./latency-estimate.ts";
import type { PickRate } from "./pick-rate.ts";
import type { RetriesSeen } from "./retries-seen.ts";
import { Slowness } from "./slowness.ts";

/** A 4xx counts as half a failure: it is mostly the fault of the caller, and then common to all instances, and sometimes the instance's. */
const badnessOfRefusal = 0.5;

/** Constants and clock of a {@link TrackRecord}, and what is learnt over all of them. */
export interface TrackRecordOptions {
  readonly decayMs: number;
  readonly failureHalfLifeMs: number;
  readonly clock: Clock;
  readonly common: FailureShare;
  readonly retries: RetriesSeen;
  readonly rate: PickRate;
}

/** Latency, failures and waiting attempts of one instance, as the adaptive picker learns them. */
export class TrackRecord extends LatencyEstimate {
  readonly failures: FailureMemory = new FailureMemory();
  /** Absent until it is slower than the others for the first time. */
  slowness: Slowness | undefined = undefined;
  /** Requests that the instance is owed: its part of the picks that it could have got, less those that it got. */
  credit: number;
  /** The last time at which it was tried while it was avoided, or came under suspicion. */
  triedAt = Number.NEGATIVE_INFINITY;
  /** Number of attempts that wait for their response head. */
  waiting = 0;
  /** Sum of the starts of these attempts, in whole milliseconds, so that it stays exact. */
  startedSum = 0;

  constructor(credit = 0) {
    super();
    this.credit = credit;
  }

  /**
   * Latency of successes, in milliseconds: an instance that fails fast must not look fast. It is the record itself, so that a pick
   * reads one object less.
   */
  get latency(): LatencyEstimate {
    return this;
  }

  /** Whether it was blamed for failures, or avoided for its slowness, when it was looked at last. */
  get isInTrouble(): boolean {
    return this.failures.isBlamed || !Number.isNaN(this.slowness?.avoidedSince ?? Number.NaN);
  }

  /** Whether one request has waited, or one response has taken, longer than chance explains. */
  get isSuspect(): boolean {
    return this.slowness !== undefined && !Number.isNaN(this.slowness.suspectSince);
  }

  /** Mean time that the waiting attempts have waited so far, in milliseconds. */
  meanAgeMs(now: number): number {
    return this.waiting > 0 ? now - this.startedSum / this.waiting : 0;
  }

  /** One request has waited, or one response has taken, longer than chance explains; without `startedAt` it waits still. */
  suspect(now: number, startedAt: number = Number.NaN): void {
    this.slowness ??= new Slowness();
    this.slowness.suspect(now, startedAt);
    this.triedAt = now;
  }
}

/** Teaches a {@link TrackRecord} from one attempt. */
export class AttemptOnRecord implements AttemptLearner {
  readonly #record: TrackRecord;
  readonly #route: number;
  readonly #options: TrackRecordOptions;
  readonly #startedAt: number;
  readonly #isSafe: boolean;
  #hasHead = false;

  /** @param isSafe a retry may repeat the request, whatever has become of it */
  constructor(record: TrackRecord, route: number, isSafe: boolean, options: TrackRecordOptions) {
    this.#record = record;
    this.#route = route;
    this.#options = options;
    this.#isSafe = isSafe;
    this.#startedAt = options.clock.now();
    record.waiting++;
    record.startedSum += Math.floor(this.#startedAt);
  }

  onHead(response: MeshResponse): void {
    const status = countedStatus(response);
    const now = this.#stopWaiting();
    const badness = badnessOf(status);
    if (badness > 0) this.#fail(badness, now, isGatewayError(status));
    else this.#succeed(now);
  }

  onEnd(error: unknown): void {
    if (error === undefined && this.#hasHead) return;
    const hadHead = this.#hasHead;
    const now = hadHead ? this.#options.clock.now() : this.#stopWaiting();
    if (outcomeOfError(error) === "failure") {
      const isFurther = this.#fail(1, now, true);
      // A single timeout may be a slow answer; an instance that does nothing but hang is not slow.
      if (!hadHead && !isFurther && isMeshError(error) && error.code === "ERR_MESH_TIMEOUT") this.#wait(now);
    } else if (!hadHead) this.#giveUp(now);
  }

  #succeed(now: number): void {
    const { latency, failures, slowness } = this.#record;
    const { common, rate, decayMs, failureHalfLifeMs } = this.#options;
    common.observe(false, failures.succeed(this.#route, this.#startedAt, now, failureHalfLifeMs));
    const tookMs = now - this.#startedAt;
    if (tookMs > latency.suspectMs) this.#record.suspect(now, this.#startedAt);
    else if (slowness !== undefined && this.#startedAt >= slowness.suspectSince) slowness.suspectSince = Number.NaN;
    latency.observe(tookMs, now, decayMs, rate.fairMs, slowness !== undefined && !Number.isNaN(slowness.avoidedSince));
  }

  /** @returns whether it followed a failure */
  #fail(badness: number, now: number, isRepeated: boolean): boolean {
    const { common, rate, retries, failureHalfLifeMs } = this.#options;
    if (isRepeated && this.#isSafe) retries.fail();
    const failed = {
      badness,
      startedAt: this.#startedAt,
      isRepeated,
      commonRate: common.rate,
      mostStep: 1 - common.byChance * (1 - stepAfter(rate.fairMs)),
      picksPerMs: rate.perMs,
    };
    const isFurther = this.#record.failures.fail(this.#route, failed, now, failureHalfLifeMs);
    common.observe(true, isFurther);
    return isFurther;
  }

  /** An instance that hangs must not look fast because callers give up. */
  #giveUp(now: number): void {
    const { latency } = this.#record;
    if (now - this.#startedAt > latency.suspectMs) this.#record.suspect(now, this.#startedAt);
    if (latency.known) this.#wait(now);
    else latency.observe(now - this.#startedAt, now, this.#options.decayMs);
  }

  /** The attempt would have taken at least as long as it has waited. */
  #wait(now: number): void {
    const { latency } = this.#record;
    const { decayMs, rate } = this.#options;
    const waitedMs = now - this.#startedAt;
    if (waitedMs > latency.meanMs) latency.observe(waitedMs, now, decayMs, rate.fairMs);
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
