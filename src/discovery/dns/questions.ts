import type { Clock } from "../../core/clock.ts";
import type { Notifier } from "../notifier.ts";
import { pauseUnlessNotified } from "../pause.ts";
import type { Answer } from "./answer.ts";
import type { QueryType } from "./message.ts";
import { foldName } from "./name.ts";
import type { Resolve } from "./resolver.ts";

/** How long an answer is waited for before the others are used without it, in milliseconds (RFC 8305 §3). */
const resolutionDelayMs = 50;

/** An answer that has not come yet, and may still come. */
export class LateAnswer extends Error {
  override readonly name = "LateAnswer";
}

/** One query and its result. */
interface Question {
  readonly answer: Promise<Answer>;
  /** Resolves when the answer is there, or the query has failed. */
  readonly settled: Promise<void>;
  isSettled: boolean;
}

/**
 * The questions of one watch, in rounds: each is asked once in a round, however often its answer is wanted. A question that is still open when
 * the next round begins is not asked again: its answer counts for that round. So a server that is silent about one name or type holds up
 * neither the answers to the others nor the next round.
 */
export class Questions {
  readonly #resolve: Resolve;
  readonly #clock: Clock;
  #asked = new Map<string, Question>();
  #late = new Set<Question>();

  constructor(resolve: Resolve, clock: Clock) {
    this.#resolve = resolve;
    this.#clock = clock;
  }

  /** Begins a round: what was answered is asked again. */
  nextRound(): void {
    this.#asked = new Map([...this.#asked].filter(([, { isSettled }]) => !isSettled));
  }

  /** Begins to look through the answers of the round: those that are late from now on are {@link isLate}. */
  nextLook(): void {
    this.#late = new Set();
  }

  /** Whether an answer was late in this look. */
  get isLate(): boolean {
    return this.#late.size > 0;
  }

  /** The answer in this round; rejects with a {@link LateAnswer} when it takes longer than 50 ms from now, while the question stays open. */
  readonly resolve: Resolve = async (name, type, signal) => {
    const question = this.#ask(name, type, signal);
    if (question.isSettled) return await question.answer;
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.setTimer(() => {
      this.#late.add(question);
      late.reject(new LateAnswer(`no answer yet for ${foldName(name)} ${type}`));
    }, resolutionDelayMs);
    try {
      return await Promise.race([question.answer, late.promise]);
    } finally {
      this.#clock.clearTimer(timer);
    }
  };

  /** Resolves when one of the late answers is there, after `delayMs`, or when `hint` is notified. Rejects when `signal` aborts. */
  async untilJoined(delayMs: number, signal: AbortSignal, hint: Notifier): Promise<void> {
    const late = [...this.#late];
    if (late.some(({ isSettled }) => isSettled)) return;
    const pause = new AbortController();
    const waits = late.map(({ settled }) => settled);
    // An abort settles the questions.
    waits.push(
      delayMs === Number.POSITIVE_INFINITY ? hint.wait(pause.signal) : pauseUnlessNotified(this.#clock, delayMs, pause.signal, hint),
    );
    try {
      await Promise.race(waits);
    } finally {
      pause.abort();
    }
    signal.throwIfAborted();
  }

  #ask(name: string, type: QueryType, signal: AbortSignal): Question {
    const key = `${type} ${foldName(name)}`;
    const open = this.#asked.get(key);
    if (open !== undefined) return open;
    const answer = this.#resolve(name, type, signal);
    const settle = () => {
      question.isSettled = true;
    };
    const question: Question = { answer, settled: answer.then(settle, settle), isSettled: false };
    this.#asked.set(key, question);
    return question;
  }
}
