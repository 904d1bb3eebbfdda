import type { Clock, Timer } from "../core/clock.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Rotation } from "./rotation.ts";

/** Instances that somebody takes out by hand, each for a time, and puts back. */
export class OperatorHolds {
  readonly #rotation: Pick<Rotation, "hold" | "release">;
  readonly #clock: Clock;
  readonly #timers = new Map<Upstream, Timer>();

  constructor(rotation: Pick<Rotation, "hold" | "release">, clock: Clock) {
    this.#rotation = rotation;
    this.#clock = clock;
  }

  /** Takes `upstream` out for `forMs` milliseconds from now, whatever it was before. */
  hold(upstream: Upstream, forMs: number): void {
    this.forget(upstream);
    this.#rotation.hold(upstream, "operator", this.#clock.wallNow() + forMs);
    const timer = this.#clock.setTimer(() => this.release(upstream), forMs, false);
    this.#timers.set(upstream, timer);
  }

  /** Puts it back now, also where a rule of ejection has taken it out; but not while its health checks fail. */
  release(upstream: Upstream): void {
    this.forget(upstream);
    this.#rotation.release(upstream, "operator");
  }

  /** The upstream is gone, or is told of anew. */
  forget(upstream: Upstream): void {
    this.#clock.clearTimer(this.#timers.get(upstream));
    this.#timers.delete(upstream);
  }

  /** Ends waiting. */
  dispose(): void {
    for (const timer of this.#timers.values()) this.#clock.clearTimer(timer);
    this.#timers.clear();
  }
}
