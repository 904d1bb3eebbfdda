import type { Clock } from "../core/clock.ts";
import { describeError } from "../core/errors.ts";
import { problemWithin } from "./within.ts";

/** The longest time of an answer about readiness, in milliseconds. */
const answerMs = 1_000;

/** An answer to the question whether a process is ready. */
export interface ReadinessAnswer {
  readonly ready: boolean;
  /** The reason why it is not; `undefined` where it is. */
  readonly reason: string | undefined;
}

/** Whether this process is ready for requests: as it says itself, while its server has started and does not leave. */
export class Readiness {
  readonly #ask: (() => boolean | Promise<boolean>) | undefined;
  readonly #clock: Clock;
  /** The reason of the server itself against being ready: it starts, or it leaves. `undefined`: none. */
  #reason: string | undefined = "it is starting";
  readonly #identityReason: () => string | undefined;

  /** @param identityReason the reason of the server's identity against being ready, if it has one */
  constructor(
    ask: (() => boolean | Promise<boolean>) | undefined,
    clock: Clock,
    identityReason: () => string | undefined = () => undefined,
  ) {
    this.#ask = ask;
    this.#clock = clock;
    this.#identityReason = identityReason;
  }

  /** The server has started: the program decides from now on. */
  open(): void {
    this.#reason = undefined;
  }

  /** The server leaves, whatever the program says. */
  close(reason: string): void {
    this.#reason = reason;
  }

  /** Whether this process is ready, and the reason why it is not. Never rejects. */
  async answer(): Promise<ReadinessAnswer> {
    const reason = this.#reason ?? (await this.ownReason());
    return { ready: reason === undefined, reason };
  }

  /** The reason of the identity, else the program's own, whatever the server is doing. */
  async ownReason(): Promise<string | undefined> {
    const reason = this.#identityReason();
    if (reason !== undefined) return reason;
    if (this.#ask === undefined) return undefined;
    let answer: unknown;
    const ask = this.#ask;
    const problem = await problemWithin(this.#clock, answerMs, (async () => (answer = await ask()))());
    if (problem !== undefined) return `ready failed: ${describeError(problem)}`;
    return answer === true ? undefined : answer === false ? "ready says no" : "ready answered neither true nor false";
  }
}
