import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "../../../core/clock.ts";
import { CpuMeter, type ReadFile } from "./cpu-meter.ts";

/** Pause between two looks at the event loop, in milliseconds. */
const tickMs = 100;
/** Ticks between two looks at the CPU: a quota is given out in periods of 100 ms, so a shorter time says little. */
const ticksPerSample = 5;

/**
 * The load of this process, measured while requests come: the timer runs from a request on and ends by itself once none has come for a tick and none is
 * under way. It does not keep the process alive.
 */
export class ProcessLoad {
  /** How much later than it was due the last tick ran, in milliseconds: so long did other work wait for the event loop. */
  lagMs = 0;
  /** CPU as a share of what the container may use, from 0. */
  cpu = 0;
  /** Share of the time for which the event loop was busy, 0 to 1. */
  eventLoop = 0;
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  readonly #onTick: ((goesOn: boolean) => void)[] = [];
  readonly #onSample: ((elapsedMs: number) => void)[] = [];
  readonly #cpuMeter: CpuMeter;
  #timer: Timer = undefined;
  #isRunning = false;
  #isWanted = false;
  #isClosed = false;
  #dueAt = 0;
  #ticks = 0;
  #sampledAt = 0;
  #loopAt = performance.eventLoopUtilization();

  /** `isBusy`: whether requests are under way. `read` is for tests. */
  constructor(clock: Clock, isBusy: () => boolean, read?: ReadFile) {
    this.#clock = clock;
    this.#isBusy = isBusy;
    this.#cpuMeter = new CpuMeter(clock, read);
  }

  /** Calls `listener` ten times a second while requests come, and with `false` once no more do. */
  onTick(listener: (goesOn: boolean) => void): void {
    this.#onTick.push(listener);
  }

  /** Calls `listener` with the milliseconds of each sample: twice a second while requests come, and with the last one when they end. */
  onSample(listener: (elapsedMs: number) => void): void {
    this.#onSample.push(listener);
  }

  /** A request has come. */
  touch(): void {
    this.#isWanted = true;
    if (!this.#isRunning) this.#start();
  }

  /** Ends the timer for good. */
  close(): void {
    this.#isClosed = true;
    this.#isRunning = false;
    this.#clock.clearTimer(this.#timer);
  }

  #start(): void {
    if (this.#isClosed) return;
    this.#isRunning = true;
    this.#ticks = 0;
    this.#sampledAt = this.#clock.now();
    this.#cpuMeter.share();
    this.#loopAt = performance.eventLoopUtilization();
    this.#schedule();
  }

  #schedule(): void {
    this.#dueAt = this.#clock.now() + tickMs;
    this.#timer = this.#clock.setTimer(this.#tick, tickMs, false);
  }

  readonly #tick = (): void => {
    if (!this.#isRunning) return;
    const now = this.#clock.now();
    this.lagMs = Math.max(0, now - this.#dueAt);
    const goesOn = this.#isWanted || this.#isBusy();
    this.#isWanted = false;
    this.#ticks++;
    if (!goesOn || this.#ticks % ticksPerSample === 0) this.#sample(now);
    for (const listener of this.#onTick) listener(goesOn);
    if (goesOn) this.#schedule();
    else this.#stop();
  };

  #stop(): void {
    this.#isRunning = false;
    this.lagMs = 0;
  }

  #sample(now: number): void {
    const elapsedMs = now - this.#sampledAt;
    if (elapsedMs <= 0) return;
    this.#sampledAt = now;
    this.cpu = this.#cpuMeter.share() ?? this.cpu;
    const loop = performance.eventLoopUtilization();
    const active = loop.active - this.#loopAt.active;
    const idle = loop.idle - this.#loopAt.idle;
    if (active + idle > 0) this.eventLoop = active / (active + idle);
    this.#loopAt = loop;
    for (const listener of this.#onSample) listener(elapsedMs);
  }
}
