import type { Clock, Random } from "../../core/clock.ts";
import { checkedAnswer } from "../checked-answer.ts";
import type { Discovery, UsePace } from "../discovery.ts";
import { Notifier } from "../notifier.ts";
import { pauseUnlessNotified } from "../pause.ts";
import { RestartPause } from "../restart-pause.ts";
import { tellRefresh } from "./tell-refresh.ts";
import { releaseMs, type Watching, type WatchSink } from "./watching.ts";

/** The source of a watch, and the parts that it works with. */
export interface WatchParts {
  readonly discovery: Discovery;
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sink: WatchSink;
  /** For a source around others: handed to the watches of these, in place of which nothing here is done by time. */
  readonly pace?: UsePace | undefined;
}

/** Pause before a watch that returned by itself is started again: an adapter that returns is polled. */
const pollMs = 5_000;

/** Watches a source all the time: starts the adapter's watch, and starts it again with full jitter when it fails. */
export class WatchLoop implements Watching {
  readonly #parts: WatchParts;
  readonly #controller = new AbortController();
  readonly #restarts: RestartPause;
  /** Ends the pause of an adapter that is polled. */
  readonly #wake = new Notifier();
  #running: Promise<void> | undefined = undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#restarts = new RestartPause(parts.clock, parts.random);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Asks a watch that runs by the adapter's own means, one that has returned by ending its pause. */
  refresh(): void {
    this.#wake.notify();
    tellRefresh(this.#parts);
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, sink, pace } = this.#parts;
    const { signal } = this.#controller;
    while (!signal.aborted) {
      let pauseMs = pollMs * (0.9 + 0.2 * random());
      let isFailing = false;
      try {
        this.#restarts.started();
        const end = await this.#watchOnce(signal);
        if (end === "recheck") continue;
      } catch (error) {
        if (signal.aborted) return;
        isFailing = true;
        sink.failed(error);
        pauseMs = this.#restarts.failed();
      }
      const { recheckMs } = sink;
      if (recheckMs !== undefined) pauseMs = Math.min(pauseMs, recheckMs);
      if (pace === undefined || pace.isAwaited) await pauseUnlessNotified(clock, pauseMs, signal, isFailing ? undefined : this.#wake);
      else await nextUse(pace, clock, clock.now() + pauseMs, signal);
    }
  }

  /** Runs one watch of the adapter until it ends, fails, or is given up because the quarantine needs a fresh answer. */
  async #watchOnce(signal: AbortSignal): Promise<"end" | "recheck"> {
    const { clock, sink, pace } = this.#parts;
    const watch = new AbortController();
    let release: unknown;
    let abandon: () => void = () => {};
    const abandoned = new Promise<void>((resolve) => {
      abandon = resolve;
    });
    const abort = () => {
      watch.abort();
      release = clock.setTimer(abandon, releaseMs);
    };
    signal.addEventListener("abort", abort, { once: true });
    let recheck: unknown;
    try {
      await Promise.race([
        this.#consume(watch.signal, () => {
          this.#restarts.answered();
          clock.clearTimer(recheck);
          // A watch that only yields changes never confirms an empty answer, so a new one is started. Where uses set the pace, each confirms.
          const recheckMs = pace === undefined ? sink.recheckMs : undefined;
          recheck = recheckMs === undefined ? undefined : clock.setTimer(abort, recheckMs, false);
        }),
        abandoned,
      ]);
      return watch.signal.aborted ? "recheck" : "end";
    } catch (error) {
      // An error thrown because the signal aborted is no failure.
      if (watch.signal.aborted) return "recheck";
      throw error;
    } finally {
      clock.clearTimer(recheck);
      clock.clearTimer(release);
      signal.removeEventListener("abort", abort);
      watch.abort();
    }
  }

  /** Accepts what one watch of the adapter yields, until that watch is given up. */
  async #consume(signal: AbortSignal, onAnswer: () => void): Promise<void> {
    const { discovery, service, sink, pace } = this.#parts;
    for await (const yielded of discovery.watch(service, signal, pace)) {
      if (signal.aborted) return;
      sink.accept(checkedAnswer(yielded, discovery, service));
      onAnswer();
    }
  }
}

/** Resolves at the first use from `at` on, or when `signal` aborts. Leaves no timer and no listener. */
function nextUse(pace: UsePace, clock: Clock, at: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      forget();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const forget = pace.onUse(() => {
      if (clock.now() >= at) end();
    });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
