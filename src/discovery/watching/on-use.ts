import type { Clock, Timer } from "../../core/clock.ts";
import { checkedAnswer } from "../checked-answer.ts";
import type { UsePace } from "../discovery.ts";
import { RestartPause } from "../restart-pause.ts";
import { tellRefresh } from "./tell-refresh.ts";
import type { WatchParts } from "./watch-loop.ts";
import { releaseMs, type Watching } from "./watching.ts";

/** A question that is open for this long when a call comes is given up: its connection has not survived that the process stood still. */
const giveUpMs = 5_000;
/** Time after a use in which a source that has never answered is asked again by time, in milliseconds: the call may wait for it. */
const wantedMs = 1_000;
/** Least time between two questions that hints ask. */
const leastGapMs = 1_000;

/** A moment by both clocks: while a process is frozen, one of them may stand still. */
interface Moment {
  readonly now: number;
  readonly wall: number;
}

/** One question to the source: a watch that is ended by its first answer. */
interface Question {
  readonly controller: AbortController;
  readonly since: Moment;
  readonly over: Promise<void>;
}

/**
 * Asks a source as its endpoints are used: at first, then beside a call that finds the last answer older than `refreshAfterMs`. Between calls there is
 * neither a timer nor an open question, unless a call has just asked it.
 */
export class OnUse implements Watching {
  readonly #parts: WatchParts & { readonly pace: UsePace };
  readonly #restarts: RestartPause;
  #question: Question | undefined = undefined;
  #last: Moment;
  #usedAt: Moment;
  #hasAnswered = false;
  /** Least age of the last end at which a use asks again. */
  #waitMs = 0;
  #retry: Timer | undefined = undefined;
  #forget: () => void = () => {};
  #isStopped = false;

  constructor(parts: WatchParts & { readonly pace: UsePace }) {
    this.#parts = parts;
    this.#restarts = new RestartPause(parts.clock, parts.random);
    this.#last = momentOf(parts.clock);
    this.#usedAt = this.#last;
  }

  start(): void {
    this.#forget = this.#parts.pace.onUse(() => this.#used());
    this.#ask();
  }

  refresh(): void {
    if (this.#question === undefined && msSince(this.#last, this.#parts.clock) >= Math.min(this.#waitMs, leastGapMs)) this.#askAnew();
  }

  async stop(): Promise<void> {
    const { clock } = this.#parts;
    this.#isStopped = true;
    this.#forget();
    clock.clearTimer(this.#retry);
    const question = this.#question;
    if (question === undefined) return;
    question.controller.abort();
    let release: Timer | undefined;
    await Promise.race([question.over, new Promise<void>((resolve) => (release = clock.setTimer(resolve, releaseMs)))]);
    clock.clearTimer(release);
  }

  #used(): void {
    const { clock, sink } = this.#parts;
    this.#usedAt = momentOf(clock);
    if (this.#question !== undefined) {
      if (msSince(this.#question.since, clock) < giveUpMs) return;
      this.#question.controller.abort();
      this.#askAnew();
    } else if (msSince(this.#last, clock) >= Math.min(this.#waitMs, sink.recheckMs ?? Number.POSITIVE_INFINITY)) this.#askAnew();
  }

  /** Asks for an answer that is not the adapter's copy of an earlier one. */
  #askAnew(): void {
    tellRefresh(this.#parts);
    this.#ask();
  }

  #ask(): void {
    const { clock } = this.#parts;
    clock.clearTimer(this.#retry);
    const controller = new AbortController();
    this.#restarts.started();
    const question: Question = { controller, since: momentOf(clock), over: this.#answered(controller) };
    this.#question = question;
    this.#parts.pace.asks(question.over);
    void question.over.finally(() => {
      if (this.#question !== question) return;
      this.#question = undefined;
      this.#last = momentOf(clock);
    });
  }

  /** Hands on the first answer. Never rejects. */
  async #answered(controller: AbortController): Promise<void> {
    const { discovery, service, sink, pace } = this.#parts;
    const { signal } = controller;
    const isOver = () => signal.aborted || this.#isStopped;
    try {
      for await (const yielded of discovery.watch(service, signal)) {
        if (isOver()) return;
        sink.accept(checkedAnswer(yielded, discovery, service));
        this.#restarts.answered();
        this.#hasAnswered = true;
        this.#waitMs = pace.refreshAfterMs;
        break;
      }
    } catch (error) {
      if (!isOver()) this.#failed(error);
    } finally {
      controller.abort();
    }
  }

  #failed(error: unknown): void {
    const { clock, sink, pace } = this.#parts;
    this.#waitMs = this.#restarts.failed();
    sink.failed(error);
    // Calls that wait for the first answer are uses that last.
    const isWanted = pace.isAwaited || (!this.#hasAnswered && msSince(this.#usedAt, clock) < wantedMs);
    if (isWanted && !this.#isStopped) this.#retry = clock.setTimer(() => this.#question ?? this.#ask(), this.#waitMs, false);
  }
}

function momentOf(clock: Clock): Moment {
  return { now: clock.now(), wall: clock.wallNow() };
}

/** Time since a moment in milliseconds, by the clock that has gone further. */
function msSince({ now, wall }: Moment, clock: Clock): number {
  return Math.max(clock.now() - now, clock.wallNow() - wall);
}
