import type { Clock, Random, Timer } from "../core/clock.ts";
import { maxTimerMs } from "../core/settings/checks.ts";

/** Lengths of the pauses of an open circuit, in milliseconds, before they are varied by ± 20 %. */
export interface Pauses {
  /** The first pause; each failed probe doubles it. */
  readonly baseMs: number;
  /** The longest pause. */
  readonly maxMs: number;
}

/** Length of the pause after `failedProbes` failed probes, in milliseconds, varied by ± 20 % and at most {@link maxTimerMs}. */
export function pauseMs({ baseMs, maxMs }: Pauses, failedProbes: number, random: Random): number {
  // The jitter keeps clients from probing at the same moment the instances that failed together.
  return Math.min(maxTimerMs, Math.min(maxMs, baseMs * 2 ** failedProbes) * (0.8 + 0.4 * random()));
}

/** A pause that has begun; it keeps no process alive. */
export class Pause {
  /** When it is over, in milliseconds since the epoch. */
  readonly untilMs: number;
  readonly #clock: Clock;
  readonly #timer: Timer;

  constructor(clock: Clock, lengthMs: number, onOver: () => void) {
    this.#clock = clock;
    this.untilMs = clock.wallNow() + lengthMs;
    this.#timer = clock.setTimer(onOver, lengthMs, false);
  }

  /** Ends it early: `onOver` is not called. */
  cancel(): void {
    this.#clock.clearTimer(this.#timer);
  }
}
