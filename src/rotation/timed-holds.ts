import type { Clock, Timer } from "../core/clock.ts";
import type { EjectionRule } from "../core/ejection-rule.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Rotation } from "./rotation.ts";

/** Instances that are out by one rule, each for a time: those that an operator has taken out by hand, those that have said that they leave. */
export class TimedHolds {
  readonly #rule: EjectionRule;
  readonly #rotation: Pick<Rotation, "hold" | "release">;
  readonly #clock: Clock;
  readonly #timers = new Map<Upstream, Timer>();

  constructor(rule: EjectionRule, rotation: Pick<Rotation, "hold" | "release">, clock: Clock) {
    this.#rule = rule;
    this.#rotation = rotation;
    this.#clock = clock;
  }

  /** Takes `upstream` out for `forMs` milliseconds from now, whatever its state; a new time replaces the one before. */
  hold(upstream: Upstream, forMs: number): void {
    this.forget(upstream);
    this.#rotation.hold(upstream, this.#rule, this.#clock.wallNow() + forMs);
    const timer = this.#clock.setTimer(() => this.release(upstream), forMs, false);
    this.#timers.set(upstream, timer);
  }

  /** Ends the hold of `upstream` now. That of an operator puts it back where a rule of ejection has taken it out, too. */
  release(upstream: Upstream): void {
    this.forget(upstream);
    this.#rotation.release(upstream, this.#rule);
  }

  /** Forgets the time of `upstream`, which has left or is held anew. */
  forget(upstream: Upstream): void {
    this.#clock.clearTimer(this.#timers.get(upstream));
    this.#timers.delete(upstream);
  }

  /** Releases every timer; instances stay as they are. */
  dispose(): void {
    for (const timer of this.#timers.values()) this.#clock.clearTimer(timer);
    this.#timers.clear();
  }
}
