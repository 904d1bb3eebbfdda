import type { Clock, Timer } from "../core/clock.ts";
import { bucketMs } from "./opossum/state-machine.ts";

/**
 * The timer that turns the windows of all circuits on one clock, once per bucket. It stops with the last circuit and keeps no process
 * alive. opossum's own timers would be two intervals for each circuit: with 10,000 circuits, 12 % of a core.
 */
class WindowTimer {
  readonly #clock: Clock;
  readonly #ticks = new Set<() => void>();
  #timer: Timer = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `tick` once per bucket from now on. */
  join(tick: () => void): void {
    this.#ticks.add(tick);
    if (this.#timer === undefined) this.#arm();
  }

  /** Calls `tick` no more. */
  leave(tick: () => void): void {
    this.#ticks.delete(tick);
    if (this.#ticks.size > 0 || this.#timer === undefined) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        // Before the ticks: the last circuit may leave in one of them.
        this.#arm();
        for (const tick of this.#ticks) tick();
      },
      bucketMs,
      false,
    );
  }
}

const timers = new WeakMap<Clock, WindowTimer>();

/** The one timer of the circuits on `clock`. */
export function windowTimerOf(clock: Clock): WindowTimer {
  let timer = timers.get(clock);
  if (timer === undefined) {
    timer = new WindowTimer(clock);
    timers.set(clock, timer);
  }
  return timer;
}
