import { Cancellation } from "../../core/cancellation.ts";
import type { Clock, Random, Timer } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { isLocalResourceError } from "../../core/local-resources.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { HealthCheckResult } from "../instance-standing.ts";
import type { HealthCheckProbe } from "./health-check.ts";
import type { HealthCheckTiming } from "./health-check-options.ts";

/** What {@link HealthChecks} need. */
export interface HealthChecksOptions extends HealthCheckTiming {
  readonly probe: HealthCheckProbe;
  readonly clock: Clock;
  readonly random: Random;
  /** It has failed often enough: out of rotation. */
  readonly onUnhealthy: (upstream: Upstream) => void;
  /** It has passed often enough: back in rotation. */
  readonly onHealthy: (upstream: Upstream) => void;
}

/** Checks at a time: what hangs takes up so many places and no more. */
const maxRunning = 128;
/** Started in a row; requests have their turn before the next ones. */
const maxAtOnce = 16;
/** First checks of new instances follow each other so closely, or more closely where the interval is too short for that. */
const firstStepMs = 10;

interface Checked {
  readonly upstream: Upstream;
  dueAt: number;
  inRow: number;
  isOut: boolean;
  result: HealthCheckResult | undefined;
  running: Cancellation | undefined;
}

/**
 * Checks every instance of one service again and again. One queue and one timer for all, so that ten thousand of them are spread over the
 * interval; nothing of it keeps the process alive.
 */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #intervalMs: number;
  #checked = new Map<Upstream, Checked>();
  /** Those that wait, the next one first. */
  #queue: Checked[] = [];
  #running = 0;
  #timer: Timer = undefined;
  #dueAt = 0;
  #isStopped = false;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 10_000;
  }

  /** Takes the complete set of instances: new ones are checked at once, those that have left no more. */
  update(upstreams: readonly Upstream[]): void {
    if (this.#isStopped) return;
    const before = this.#checked;
    const now = this.#options.clock.now();
    const stepMs = Math.min(firstStepMs, this.#intervalMs / upstreams.length);
    this.#checked = new Map();
    let dueAt = now;
    for (const upstream of upstreams) {
      let checked = before.get(upstream);
      if (checked === undefined) {
        checked = { upstream, dueAt, inRow: 0, isOut: false, result: undefined, running: undefined };
        dueAt += stepMs;
        this.#enqueue(checked);
      }
      this.#checked.set(upstream, checked);
    }
    const gone: Checked[] = [];
    for (const [upstream, checked] of before) {
      if (this.#checked.has(upstream)) continue;
      // Out of the subset because it is out of rotation: it is checked until it passes, since nobody else would let it in again.
      if (checked.isOut && !upstream.removed) this.#checked.set(upstream, checked);
      else gone.push(checked);
    }
    if (gone.length > 0) this.#queue = this.#queue.filter(({ upstream }) => this.#checked.has(upstream));
    for (const { running } of gone) running?.cancel(stopped);
    this.#arm();
  }

  /** The last check of `upstream` that has ended. */
  result(upstream: Upstream): HealthCheckResult | undefined {
    return this.#checked.get(upstream)?.result;
  }

  /** Ends all checks, also those under way. */
  stop(): void {
    this.#isStopped = true;
    this.#options.clock.clearTimer(this.#timer);
    const running = [...this.#checked.values()].map((checked) => checked.running);
    this.#checked.clear();
    this.#queue.length = 0;
    for (const cancellation of running) cancellation?.cancel(stopped);
  }

  /** Puts one into the queue, which is nearly in order: intervals differ by their jitter only. */
  #enqueue(checked: Checked): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#queue[middle] as Checked).dueAt <= checked.dueAt) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, checked);
  }

  #arm(): void {
    const { clock } = this.#options;
    const next = this.#queue[0];
    if (this.#timer !== undefined) {
      if (this.#dueAt === next?.dueAt) return;
      clock.clearTimer(this.#timer);
      this.#timer = undefined;
    }
    if (next === undefined || this.#running >= maxRunning || this.#isStopped) return;
    this.#dueAt = next.dueAt;
    this.#timer = clock.setTimer(this.#startDue, Math.max(0, next.dueAt - clock.now()), false);
  }

  readonly #startDue = (): void => {
    this.#timer = undefined;
    // A timer may fire a little early.
    const until = this.#options.clock.now() + 1;
    for (let started = 0; started < maxAtOnce && this.#running < maxRunning; started++) {
      const next = this.#queue[0];
      if (next === undefined || next.dueAt > until) break;
      this.#queue.shift();
      void this.#check(next);
    }
    this.#arm();
  };

  /** Never rejects. */
  async #check(checked: Checked): Promise<void> {
    const { probe, clock, timeoutMs = 1_000 } = this.#options;
    const startedAt = clock.now();
    const cancellation = new Cancellation();
    const timer = clock.setTimer(() => cancellation.cancel(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs, false);
    cancellation.onCancel(() => clock.clearTimer(timer));
    checked.running = cancellation;
    this.#running++;
    let failure: unknown;
    try {
      // A probe that does not end when it is told to must not keep its place.
      await Promise.race([probe(checked.upstream, cancellation), cancelled(cancellation)]);
    } catch (error) {
      failure = error;
    }
    clock.clearTimer(timer);
    this.#running--;
    checked.running = undefined;
    const isChecked = () => this.#checked.get(checked.upstream) === checked;
    // A process that has run out of something learns nothing of the instance.
    if (isChecked() && !isLocalResourceError(failure)) this.#learn(checked, failure, clock.now() - startedAt);
    // What was learnt may have changed who is checked.
    if (isChecked()) {
      checked.dueAt = Math.max(clock.now(), startedAt + this.#nextIntervalMs());
      this.#enqueue(checked);
    }
    this.#arm();
  }

  #learn(checked: Checked, failure: unknown, durationMs: number): void {
    const { clock, unhealthyThreshold = 3, healthyThreshold = 2, onUnhealthy, onHealthy } = this.#options;
    const passed = failure === undefined;
    const isFirst = checked.result === undefined;
    checked.inRow = checked.result?.passed === passed ? checked.inRow + 1 : 1;
    checked.result = {
      passed,
      atMs: clock.wallNow(),
      durationMs,
      inRow: checked.inRow,
      error: passed ? undefined : describeError(failure),
    };
    // What has just appeared is used before it is checked, and has no good record to weigh against its first failure.
    if (!passed && !checked.isOut && (isFirst || checked.inRow >= unhealthyThreshold)) {
      checked.isOut = true;
      onUnhealthy(checked.upstream);
    } else if (passed && checked.isOut && checked.inRow >= healthyThreshold) {
      checked.isOut = false;
      onHealthy(checked.upstream);
    }
  }

  #nextIntervalMs(): number {
    const { jitter = 0.1, random } = this.#options;
    return this.#intervalMs * (1 + jitter * (2 * random() - 1));
  }
}

const stopped = new Error("the check was stopped");

function cancelled(cancellation: Cancellation): Promise<never> {
  return new Promise((_, reject) => cancellation.onCancel(reject));
}
