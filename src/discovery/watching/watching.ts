import type { CheckedAnswer } from "../checked-answer.ts";

/** How long an adapter may take to stop after its signal has aborted, in milliseconds; then it is left behind. */
export const releaseMs = 1_000;

/** The receiver of what a source says. */
export interface WatchSink {
  /** A good answer. What it throws is a failure of the source. */
  accept(answer: CheckedAnswer): void;
  failed(error: unknown): void;
  /** A hint could not be handed to the adapter, which says nothing of its answers. */
  hintFailed(error: unknown): void;
  /** Time until the next answer is needed to confirm the last one, in milliseconds; `undefined` where none is. */
  readonly recheckMs: number | undefined;
}

/** How a source is asked: all the time, or as its endpoints are used. */
export interface Watching {
  start(): void;
  /** Calls find instances that cannot be reached: the source is asked again. */
  refresh(): void;
  /** Resolves when the adapter has stopped, after a second at the latest. */
  stop(): Promise<void>;
}
