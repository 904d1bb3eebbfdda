import type { Clock, Timer } from "../../../core/clock.ts";
import { warnOfThrow } from "../../../core/observing/fence.ts";

/** How long lines are collected before they are written, in milliseconds. */
const collectMs = 50;
/** Longest time that closing waits for lines to be written, in milliseconds. */
const closeMs = 1_000;

/** Writes some lines; resolves once they are with the operating system, or with the program. */
export type WriteLines = (lines: string) => PromiseLike<void>;

/**
 * Collects lines and writes them beside the requests: one write at a time, and never one that a request waits for. Lines that do not fit into the buffer are
 * dropped and counted, as those are whose writing failed.
 */
export class LogWriter {
  readonly #write: WriteLines;
  readonly #clock: Clock;
  readonly #maxBuffered: number;
  readonly #sayDropped: (count: number) => string;
  #lines = "";
  #count = 0;
  #dropped = 0;
  #timer: Timer = undefined;
  #isWriting = false;
  #isClosed = false;
  #whenIdle: (() => void) | undefined = undefined;

  constructor(options: { write: WriteLines; clock: Clock; maxBuffered: number; sayDropped: (count: number) => string }) {
    this.#write = options.write;
    this.#clock = options.clock;
    this.#maxBuffered = options.maxBuffered;
    this.#sayDropped = options.sayDropped;
  }

  /** Adds a line, which ends with a line break. */
  add(line: string): void {
    if (this.#lines.length + line.length > this.#maxBuffered) {
      this.#dropped++;
      return;
    }
    this.#lines += line;
    this.#count++;
    if (this.#timer === undefined && !this.#isWriting && !this.#isClosed)
      this.#timer = this.#clock.setTimer(() => void this.#flush(), collectMs);
  }

  /** Writes what is left, for at most a second. Lines that are added later are written when the next ones are. */
  async close(): Promise<void> {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    let timer: Timer;
    const late = new Promise<void>((resolve) => (timer = this.#clock.setTimer(resolve, closeMs)));
    await Promise.race([this.#idle(), late]);
    this.#clock.clearTimer(timer);
  }

  async #idle(): Promise<void> {
    if (this.#isWriting) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    else await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    this.#isWriting = true;
    while (this.#lines !== "" || this.#dropped > 0) {
      const [lines, count, dropped] = [this.#lines, this.#count, this.#dropped];
      this.#lines = "";
      this.#count = 0;
      this.#dropped = 0;
      try {
        await this.#write(dropped === 0 ? lines : lines + this.#sayDropped(dropped));
      } catch (error) {
        warnOfThrow("the access log", error);
        // Said with the next lines that can be written, and not tried again at once.
        this.#dropped += count + dropped;
        break;
      }
    }
    this.#isWriting = false;
    this.#whenIdle?.();
    this.#whenIdle = undefined;
  }
}
