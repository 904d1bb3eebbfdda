import { AsyncLocalStorage } from "node:async_hooks";

/**
 * One timer among those of the same duration. They expire in the order in which they were set, so a list of them needs one
 * timer of Node's, and setting or clearing one is a matter of two pointers: a quarter of what a timer of Node's costs, and half
 * of its memory. Nearly every timer of a mesh is set for one of two durations and cleared long before it is due.
 *
 * As with Node's, a timer that is set keeps the process alive, and is late by up to a millisecond beside what the event loop
 * is late by. Unlike Node's, its callback runs outside of every asynchronous context.
 */
export class SharedTimer {
  previous: SharedTimer | undefined = undefined;
  next: SharedTimer | undefined = undefined;
  /** `undefined` when it has fired or been cleared. */
  list: TimerList | undefined;
  callback: () => void;
  /** In whole milliseconds, which the engine keeps without a box. */
  readonly expiresAt: number;

  constructor(list: TimerList, callback: () => void, expiresAt: number) {
    this.list = list;
    this.callback = callback;
    this.expiresAt = expiresAt;
  }

  /** Stops it; harmless when it has fired. */
  clear(): void {
    this.list?.remove(this);
  }

  /** As a timer of Node's says whether it keeps the process alive. */
  hasRef(): boolean {
    return this.list !== undefined;
  }
}

// As they were when this module was loaded: a test's fake timers would stop a list half-way when they are taken away again.
const { setTimeout: nativeSetTimeout } = globalThis;
const nativeNow = performance.now.bind(performance);
// Else the timer of a list would hold for good what the call that set it first had in its `AsyncLocalStorage`.
const outside = AsyncLocalStorage.snapshot();

/** Durations beyond so many at a time get timers of their own: a list stays for its duration, also when it is empty. */
const maxLists = 64;
const lists = new Map<number, TimerList>();

/** Sets a shared timer; `undefined` when it must be one of its own: with too many durations, or while timers are replaced by a test's. */
export function setSharedTimer(callback: () => void, delayMs: number): SharedTimer | undefined {
  if (globalThis.setTimeout !== nativeSetTimeout) return undefined;
  const durationMs = delayMs >= 1 ? Math.ceil(delayMs) : 1;
  let list = lists.get(durationMs);
  if (list === undefined) {
    if (lists.size >= maxLists) return undefined;
    list = new TimerList(durationMs);
    lists.set(durationMs, list);
  }
  return list.add(callback);
}

/** The timers of one duration, the first to expire first. */
class TimerList {
  readonly #durationMs: number;
  #first: SharedTimer | undefined = undefined;
  #last: SharedTimer | undefined = undefined;
  /** Due when the first is, or earlier. */
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  add(callback: () => void): SharedTimer {
    const timer = new SharedTimer(this, callback, Math.ceil(nativeNow()) + this.#durationMs);
    const last = this.#last;
    this.#last = timer;
    if (last !== undefined) {
      timer.previous = last;
      last.next = timer;
      return timer;
    }
    this.#first = timer;
    if (this.#timer === undefined) this.#arm(this.#durationMs);
    else this.#timer.ref();
    return timer;
  }

  remove(timer: SharedTimer): void {
    const { previous, next } = timer;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    timer.previous = undefined;
    timer.next = undefined;
    timer.list = undefined;
    timer.callback = nothing;
    // It stays armed: another one is set soon as a rule, and waking up for nothing once costs less than arming for each.
    if (this.#first === undefined) this.#timer?.unref();
  }

  #arm(delayMs: number): void {
    this.#timer = outside(nativeSetTimeout, this.#fire, delayMs);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    try {
      this.#expire();
    } finally {
      // Also when a callback threw: the process may go on after an uncaught exception. A callback that set one may have armed it.
      if (this.#timer === undefined) {
        if (this.#first === undefined) lists.delete(this.#durationMs);
        else this.#arm(Math.max(1, this.#first.expiresAt - nativeNow()));
      }
    }
  };

  #expire(): void {
    const now = nativeNow();
    for (let timer = this.#first; timer !== undefined && timer.expiresAt <= now; timer = this.#first) {
      const { callback } = timer;
      this.remove(timer);
      callback();
    }
  }
}

function nothing(): void {}
