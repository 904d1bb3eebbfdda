import type { Clock, Timer } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import { quoted } from "../core/text/clean-text.ts";
import { type InstanceStatus, instanceStatuses } from "./registrar.ts";
import { unlessAborted } from "./unless-aborted.ts";

/**
 * Whether this process can take requests, in its own view: `true` (`up`), `false` (`down`) or a status. The signal aborts when the answer is
 * no longer waited for.
 */
export type InstanceHealth = (signal: AbortSignal) => boolean | InstanceStatus | Promise<boolean | InstanceStatus>;

/** Options of a {@link HealthWatch}. */
export interface HealthWatchOptions {
  /** Answers that take longer count as `down`, in milliseconds. */
  readonly timeoutMs: number;
  /** The pause between an answer and the next question, in milliseconds; read each time. */
  readonly intervalMs: () => number;
  /** Called when the status has changed. `reason`: the reason for which there was no answer, when that has changed. Does not throw. */
  readonly onChange: (reason: string | undefined) => void;
  readonly clock: Clock;
}

/** Asks an {@link InstanceHealth} again and again; anything that is no answer is `down`. Its timers keep no process alive. */
export class HealthWatch {
  readonly #health: InstanceHealth;
  readonly #options: HealthWatchOptions;
  #status: InstanceStatus = "down";
  /** The reason for which the last question has no answer. */
  #fault: string | undefined = undefined;
  #timer: Timer = undefined;
  #asking: AbortController | undefined = undefined;
  #isStopped = false;

  constructor(health: InstanceHealth, options: HealthWatchOptions) {
    this.#health = health;
    this.#options = options;
  }

  /** The last answer; `down` before the first. */
  get status(): InstanceStatus {
    return this.#status;
  }

  /** Asks now, and from then on. Resolves with the first answer, or when none came in time. */
  async start(): Promise<void> {
    await this.#ask();
    this.#schedule();
  }

  /** Takes the interval anew: the registries, which it depends on, are known by now. */
  reschedule(): void {
    if (this.#asking === undefined) this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#options.clock.clearTimer(this.#timer);
    this.#asking?.abort();
  }

  #schedule(): void {
    const { clock, intervalMs } = this.#options;
    clock.clearTimer(this.#timer);
    if (!this.#isStopped) this.#timer = clock.setTimer(() => void this.start(), intervalMs(), false);
  }

  async #ask(): Promise<void> {
    if (this.#isStopped) return;
    let answer: unknown;
    let fault: string | undefined;
    try {
      answer = await this.#answer();
      if (typeof answer !== "boolean" && !(instanceStatuses as readonly unknown[]).includes(answer))
        fault = `it answered ${quoted(answer)}, not true, false or a status`;
    } catch (error) {
      fault = describeError(error);
    }
    if (this.#isStopped) return;
    const status: InstanceStatus = fault !== undefined || answer === false ? "down" : answer === true ? "up" : (answer as InstanceStatus);
    const isNews = status !== this.#status || (fault === undefined) !== (this.#fault === undefined);
    const isNewFault = fault !== undefined && this.#fault === undefined;
    this.#status = status;
    this.#fault = fault;
    if (isNews) this.#options.onChange(isNewFault ? fault : undefined);
  }

  async #answer(): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const asking = new AbortController();
    this.#asking = asking;
    const timer = clock.setTimer(() => asking.abort(new Error(`it did not answer within ${timeoutMs} ms`)), timeoutMs, false);
    const ask = async (): Promise<unknown> => await this.#health(asking.signal);
    try {
      return await unlessAborted(ask(), asking.signal);
    } finally {
      clock.clearTimer(timer);
      this.#asking = undefined;
    }
  }
}
