import { outsideOfCalls } from "./async-context.ts";

/** The callback of a timer as an object: an object that exists for each call anyway saves a closure. */
export interface TimerHandler {
  /** The timer has fired. */
  handleTimer(): void;
}

/** Called when a timer fires. */
export type TimerCallback = (() => void) | TimerHandler;

/**
 * A timer in a list of timers of the same duration. Such timers expire in the order in which they were set, so that the list needs one timer
 * of Node's, and setting or clearing another one changes two pointers: a quarter of the time of a timer of Node's, and half of its
 * memory. Nearly every timer of a mesh has one of two durations and is cleared long before it is due.
 *
 * Like a timer of Node's, it keeps the process alive and fires up to a millisecond late, beside the delay of the event loop. Unlike there,
 * its callback runs outside of any asynchronous context.
 */
export class SharedTimer {
  previous: SharedTimer | undefined = undefined;
  next: SharedTimer | undefined = undefined;
  /** `undefined` once the timer has fired or was cleared. */
  list: TimerList | undefined;
  callback: TimerCallback;
  /** In whole milliseconds, which the engine stores without allocating. */
  readonly expiresAt: number;

  constructor(list: TimerList, callback: TimerCallback, expiresAt: number) {
    this.list = list;
    this.callback = callback;
    this.expiresAt = expiresAt;
  }

  /** Stops the timer; does nothing once it has fired. */
  clear(): void {
    this.list?.remove(this);
  }

  /** Whether the timer keeps the process alive, as for a timer of Node's. */
  hasRef(): boolean {
    return this.list !== undefined;
  }
}

// The timers of Node, also while a test has replaced them: a list whose timer is a fake one would stop when the fakes are removed.
const { setTimeout: nativeSetTimeout } = globalThis;
const nativeNow = performance.now.bind(performance);

/** Number of durations with a list at a time; a list stays for its duration, also while it is empty. */
const maxLists = 64;
const lists = new Map<number, TimerList>();

/**
 * Sets a shared timer; `undefined` with too many durations, and while a test has replaced the timers of Node: the caller sets a timer of
 * Node's then.
 */
export function setSharedTimer(callback: TimerCallback, delayMs: number): SharedTimer | undefined {
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

/** The timers of one duration, in the order in which they expire. */
class TimerList {
  readonly #durationMs: number;
  #first: SharedTimer | undefined = undefined;
  #last: SharedTimer | undefined = undefined;
  /** Due with the first timer of the list, or earlier. */
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  add(callback: TimerCallback): SharedTimer {
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
    // It stays armed: usually another timer is set soon, and one wake-up in vain takes less time than arming it for each.
    if (this.#first === undefined) this.#timer?.unref();
  }

  #arm(delayMs: number): void {
    // The timer of a list outlives the call that made it, and must not hold the values of that call's `AsyncLocalStorage`.
    this.#timer = outsideOfCalls(() => nativeSetTimeout(this.#fire, delayMs));
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    try {
      this.#expire();
    } finally {
      // Also after a callback that threw: the process may survive an uncaught exception. A callback that set a timer may have armed it.
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
      if (typeof callback === "function") callback();
      else callback.handleTimer();
    }
  }
}

function nothing(): void {}
