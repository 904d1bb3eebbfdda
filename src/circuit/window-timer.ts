import type { Clock, Timer } from "../core/clock.ts";

/** Seconds as the windows of circuits see them: each tick begins a new bucket. */
export const bucketMs = 1_000;

/**
 * One timer turns the windows of all circuits on one clock, and stops with the last of them; opossum's own would be an
 * interval each (10,000 breakers: 20,000 intervals, 12 % of a core). It keeps no process alive.
 */
class WindowTimer {
  readonly #clock: Clock;
  readonly #ticks = new Set<() => void>();
  #timer: Timer = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(tick: () => void): void {
    this.#ticks.add(tick);
    if (this.#timer === undefined) this.#arm();
  }

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

/** What turns the windows of the circuits on `clock`. */
export function windowTimerOf(clock: Clock): WindowTimer {
  let timer = timers.get(clock);
  if (timer === undefined) {
    timer = new WindowTimer(clock);
    timers.set(clock, timer);
  }
  return timer;
}
