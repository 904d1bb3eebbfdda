import { Cancellation } from "../../core/cancellation.ts";
import type { Clock, Random, Timer } from "../../core/clock.ts";
import { isOwnFault } from "../../core/local-resources.ts";
import type { Upstream } from "../../core/upstream.ts";
import type { HealthCheckResult } from "../instance-standing.ts";
import { CheckedInstance } from "./checked-instance.ts";
import { DueQueue } from "./due-queue.ts";
import type { GrpcWatches } from "./grpc-watches.ts";
import { type HealthCheckTiming, type HealthCheckTimingSettings, healthCheckTiming } from "./health-check-options.ts";
import type { HealthCheckProbe } from "./health-check-probe.ts";

/** The user's options, one check, and what follows from its results. */
export interface HealthChecksOptions extends HealthCheckTiming {
  readonly probe: HealthCheckProbe;
  /** The streams by which instances tell of themselves, where there are any. */
  readonly watches?: Pick<GrpcWatches, "onNews" | "isSaid" | "end" | "stop"> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** An instance has failed often enough: it goes out of rotation. */
  readonly onUnhealthy: (upstream: Upstream) => void;
  /** An instance has passed often enough: it comes back. */
  readonly onHealthy: (upstream: Upstream) => void;
}

/** The most checks at a time: checks that hang take up so many places and no more. */
const maxRunning = 128;
/** The most checks that are started in a row; requests have their turn before the next ones. */
const maxAtOnce = 16;
/** Time between the first checks of two new instances, in milliseconds; less where the interval is too short for that. */
const firstStepMs = 10;

/**
 * Checks every instance of one service again and again. There is one queue and one timer for all, so that the checks of ten thousand instances
 * are spread over the interval. No timer keeps the process alive.
 */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #timing: HealthCheckTimingSettings;
  readonly #queue = new DueQueue<CheckedInstance>();
  #instances = new Map<Upstream, CheckedInstance>();
  #running = 0;
  /** Set for the time at which the first of the queue is due. */
  #timer: { readonly handle: Timer; readonly dueAt: number } | undefined = undefined;
  #isStopped = false;

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#timing = healthCheckTiming.settle(options);
    if (options.watches !== undefined) options.watches.onNews = (upstream) => this.#checkNow(upstream);
  }

  /** Takes the complete set of instances: new ones are checked at once, and those that have left no more. */
  update(upstreams: readonly Upstream[]): void {
    if (this.#isStopped) return;
    const before = this.#instances;
    const stepMs = Math.min(firstStepMs, this.#timing.intervalMs / upstreams.length);
    let dueAt = this.#options.clock.now();
    this.#instances = new Map();
    for (const upstream of upstreams) {
      let instance = before.get(upstream);
      if (instance === undefined) {
        instance = new CheckedInstance(upstream, dueAt);
        dueAt += stepMs;
        this.#queue.add(instance);
      }
      this.#instances.set(upstream, instance);
    }
    this.#letGo(before);
    this.#arm();
  }

  /** The result of the last check of `upstream`. */
  result(upstream: Upstream): HealthCheckResult | undefined {
    return this.#instances.get(upstream)?.result;
  }

  /** Ends all checks, also those under way. */
  stop(): void {
    this.#isStopped = true;
    this.#disarm();
    const running = [...this.#instances.values()].map((instance) => instance.running);
    this.#instances.clear();
    this.#queue.keep(() => false);
    for (const cancellation of running) cancellation?.cancel(stopped);
    this.#options.watches?.stop();
  }

  /** Ends the checks of the instances in `before` that are in use no more. */
  #letGo(before: ReadonlyMap<Upstream, CheckedInstance>): void {
    const gone: CheckedInstance[] = [];
    for (const [upstream, instance] of before) {
      if (this.#instances.has(upstream)) continue;
      // It has left the subset because it is out of rotation. Only a check that passes brings it back.
      if (instance.isOut && !upstream.removed) this.#instances.set(upstream, instance);
      else gone.push(instance);
    }
    if (gone.length > 0) this.#queue.keep(({ upstream }) => this.#instances.has(upstream));
    for (const { running, upstream } of gone) {
      running?.cancel(stopped);
      this.#options.watches?.end(upstream);
    }
  }

  /** Makes the next check of an instance due. */
  #checkNow(upstream: Upstream): void {
    const instance = this.#instances.get(upstream);
    if (instance === undefined || this.#isStopped) return;
    instance.hasNews = true;
    if (instance.running !== undefined) return;
    this.#queue.keep((each) => each !== instance);
    instance.dueAt = this.#options.clock.now();
    this.#queue.add(instance);
    this.#arm();
  }

  #arm(): void {
    const next = this.#queue.next;
    if (this.#timer !== undefined) {
      if (this.#timer.dueAt === next?.dueAt) return;
      this.#disarm();
    }
    if (next === undefined || this.#running >= maxRunning || this.#isStopped) return;
    const { clock } = this.#options;
    const { dueAt } = next;
    this.#timer = { dueAt, handle: clock.setTimer(this.#startDue, Math.max(0, dueAt - clock.now()), false) };
  }

  #disarm(): void {
    this.#options.clock.clearTimer(this.#timer?.handle);
    this.#timer = undefined;
  }

  readonly #startDue = (): void => {
    this.#timer = undefined;
    // A timer may fire a little early.
    const untilMs = this.#options.clock.now() + 1;
    for (let started = 0; started < maxAtOnce && this.#running < maxRunning; started++) {
      const instance = this.#queue.takeDue(untilMs);
      if (instance === undefined) break;
      void this.#check(instance);
    }
    this.#arm();
  };

  /** Checks one instance and puts it back into the queue. Never rejects. */
  async #check(instance: CheckedInstance): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    instance.hasNews = false;
    this.#running++;
    const failure = await this.#failureOf(instance);
    this.#running--;
    const isInUse = () => this.#instances.get(instance.upstream) === instance;
    // A process that has run out of a resource learns nothing about the instance.
    if (isInUse() && !isOwnFault(failure)) this.#learn(instance, failure, clock.now() - startedAt);
    // The listener may have changed which instances are in use.
    if (isInUse()) {
      instance.dueAt = instance.hasNews ? clock.now() : Math.max(clock.now(), startedAt + this.#nextIntervalMs());
      this.#queue.add(instance);
    }
    this.#arm();
  }

  /** Why one check failed; `undefined` when it passed. Never rejects. */
  async #failureOf(instance: CheckedInstance): Promise<unknown> {
    const { probe, clock } = this.#options;
    const { timeoutMs } = this.#timing;
    const cancellation = new Cancellation();
    const timer = clock.setTimer(() => cancellation.cancel(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs, false);
    cancellation.onCancel(() => clock.clearTimer(timer));
    instance.running = cancellation;
    try {
      // A probe that does not end when it is cancelled must not keep its place.
      await Promise.race([probe(instance.upstream, cancellation), cancelled(cancellation)]);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      clock.clearTimer(timer);
      instance.running = undefined;
    }
  }

  #learn(instance: CheckedInstance, failure: unknown, durationMs: number): void {
    const { clock, onUnhealthy, onHealthy } = this.#options;
    const timing = this.#options.watches?.isSaid(instance.upstream, failure) === true ? atOnce : this.#timing;
    const change = instance.learn(failure, { atMs: clock.wallNow(), durationMs }, timing);
    if (change === "unhealthy") onUnhealthy(instance.upstream);
    else if (change === "healthy") onHealthy(instance.upstream);
  }

  #nextIntervalMs(): number {
    const { intervalMs, jitter } = this.#timing;
    return intervalMs * (1 + jitter * (2 * this.#options.random() - 1));
  }
}

/** An instance knows best whether it serves. */
const atOnce = { unhealthyThreshold: 1, healthyThreshold: 1 } as const;

const stopped = new Error("the check was stopped");

function cancelled(cancellation: Cancellation): Promise<never> {
  return new Promise((_, reject) => cancellation.onCancel(reject));
}
