import type { Clock } from "../core/clock.ts";
import { problemWithin } from "./within.ts";

/** The longest time of an answer about readiness, in milliseconds. */
const answerMs = 1_000;

/** Whether this process is ready for requests: as it says itself, while its server has started and does not leave. */
export class Readiness {
  readonly #ask: (() => boolean | Promise<boolean>) | undefined;
  readonly #clock: Clock;
  /** The reason of the server itself against being ready: it starts, or it leaves. `undefined`: none. */
  #reason: string | undefined = "it is starting";

  constructor(ask: (() => boolean | Promise<boolean>) | undefined, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** The server has started: the program decides from now on. */
  open(): void {
    if (this.#reason === "it is starting") this.#reason = undefined;
  }

  /** The server leaves, whatever the program says. */
  close(reason: string): void {
    this.#reason = reason;
  }

  /** The reason why this process is not ready; `undefined` where it is. Never rejects. */
  async reasonAgainst(): Promise<string | undefined> {
    return this.#reason ?? (await this.ownReason());
  }

  /** The program's own reason, whatever the server is doing. */
  async ownReason(): Promise<string | undefined> {
    if (this.#ask === undefined) return undefined;
    let answer: unknown;
    const ask = this.#ask;
    const problem = await problemWithin(this.#clock, answerMs, (async () => (answer = await ask()))());
    if (problem !== undefined) return `ready failed: ${problem instanceof Error ? problem.message : String(problem)}`;
    return answer === true ? undefined : answer === false ? "ready says no" : "ready answered neither true nor false";
  }
}
