import { type Clock, heldUpMs, type Timer } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";

/** The limits of response bodies; `false` = none. */
export type BodyLimits = Pick<WireSettings, "bodyIdleTimeoutMs" | "maxCollectedBytes">;

/** No limits. */
export const unlimited: BodyLimits = { bodyIdleTimeoutMs: false, maxCollectedBytes: false };

/** A response body under the eye of a {@link BodyTimer}. */
export interface TimedBody {
  /** How long its reader has waited for a byte, in milliseconds; 0 where none waits. */
  readonly quietMs: number;
  /** The body was quiet for too long. */
  failIdle(): void;
}

/** The limit of the silence of one body that is being read: made only for a body that is still open when its reader comes. */
export class BodyTimer {
  readonly #body: TimedBody;
  readonly #limitMs: number;
  readonly #clock: Clock;
  #timer: Timer;

  constructor(body: TimedBody, limitMs: number, clock: Clock) {
    this.#body = body;
    this.#limitMs = limitMs;
    this.#clock = clock;
    this.#arm(limitMs);
  }

  /** The body has closed. */
  clear(): void {
    this.#clock.clearTimer(this.#timer);
  }

  #arm(ms: number): void {
    const dueAt = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimer(() => this.#check(ms, dueAt), ms);
  }

  #check(ms: number, dueAt: number): void {
    const leftMs = this.#limitMs - this.#body.quietMs;
    // Where this process was held up, bytes may have arrived that are unread.
    const extraMs = heldUpMs(this.#clock, dueAt, ms);
    if (leftMs > 0) this.#arm(leftMs);
    else if (extraMs > 0) this.#arm(extraMs);
    else this.#body.failIdle();
  }
}

/** A body was quiet for longer than `bodyIdleTimeoutMs`. Its code is the one that undici has for that. */
export class BodyIdle extends Error {
  readonly code = "UND_ERR_BODY_TIMEOUT";
}

/** How long the rest of a body is read that is dropped, in milliseconds: what is on its way arrives within it. */
const drainMs = 250;

/** The limit of the time for which a body that is dropped is read to its end. */
export class DrainTimer {
  readonly #clock: Clock;
  readonly #timer: Timer;

  constructor(body: { cancel(): void }, clock: Clock) {
    this.#clock = clock;
    this.#timer = clock.setTimer(() => body.cancel(), drainMs);
  }

  /** The body has closed. */
  clear(): void {
    this.#clock.clearTimer(this.#timer);
  }
}
