import type { Clock, Timer } from "../../core/clock.ts";
import type { UsePace } from "../discovery.ts";

/** The parts of {@link Uses}. */
export interface UsesParts {
  readonly refreshAfterMs: number;
  readonly clock: Clock;
  /** Whether calls wait for the first answer. */
  readonly isAwaited: () => boolean;
  /** Called when no question is open any more, and what was answered has been handed on. */
  readonly onIdle: () => void;
}

/** Time in which an answer passes through sources around others, in milliseconds. */
const passedOnMs = 5;

/** The uses of a service's endpoints, by which its sources are asked in place of time. */
export class Uses implements UsePace {
  readonly #parts: UsesParts;
  #listeners: readonly (() => void)[] = [];
  #open = 0;
  #idle: Timer | undefined = undefined;

  constructor(parts: UsesParts) {
    this.#parts = parts;
  }

  get refreshAfterMs(): number {
    return this.#parts.refreshAfterMs;
  }

  get isAwaited(): boolean {
    return this.#parts.isAwaited();
  }

  /** Whether a question is open. */
  get isAsking(): boolean {
    return this.#open > 0;
  }

  /** A call uses the endpoints. */
  used(): void {
    for (const listener of this.#listeners) listener();
  }

  onUse(listener: () => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== listener);
    };
  }

  asks(over: Promise<void>): void {
    const { clock, onIdle } = this.#parts;
    this.#open++;
    void over.finally(() => {
      this.#open--;
      clock.clearTimer(this.#idle);
      if (this.#open === 0) this.#idle = clock.setTimer(onIdle, passedOnMs, false);
    });
  }
}
