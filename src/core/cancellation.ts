/** Called once with the reason when a {@link Cancellation} is cancelled. */
export type CancelListener = (reason: unknown) => void;

/** The same as an object: what is there once for each call anyway needs no closure beside it. */
export interface CancelHandler {
  /** Called once with the reason. */
  handleCancel(reason: unknown): void;
}

/**
 * Tells everything that works for one call, or one attempt of it, to stop.
 *
 * What `AbortSignal` is for users this is inside the mesh: making one costs nanoseconds, a signal 2.7 µs and
 * `AbortSignal.any` 18 µs. {@link Cancellation.signal} gives a real signal to interceptors that need one.
 */
export class Cancellation implements CancelHandler {
  #isCancelled = false;
  #reason: unknown = undefined;
  // Two listeners are the normal case (the deadline and the attempt), so they have places of their own and no array is made.
  #first: CancelListener | CancelHandler | undefined = undefined;
  #second: CancelListener | CancelHandler | undefined = undefined;
  #others: (CancelListener | CancelHandler)[] | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  get cancelled(): boolean {
    return this.#isCancelled;
  }

  /** What the work was cancelled with; `undefined` before. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same as an `AbortSignal`, made when it is first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isCancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Calls `listener` on cancellation: at once when that has happened already. */
  onCancel(listener: CancelListener | CancelHandler): void {
    if (this.#isCancelled) tell(listener, this.#reason);
    // Behind those that are left when earlier ones have gone: the order is the one they were added in.
    else if (this.#others?.length) this.#others.push(listener);
    else if (this.#second === undefined && this.#first === undefined) this.#first = listener;
    else if (this.#second === undefined) this.#second = listener;
    else if (this.#others === undefined) this.#others = [listener];
    else this.#others.push(listener);
  }

  /** Forgets a listener; harmless when it is not there. */
  removeListener(listener: CancelListener | CancelHandler): void {
    if (this.#first === listener) {
      this.#first = undefined;
      return;
    }
    if (this.#second === listener) {
      this.#second = undefined;
      return;
    }
    const index = this.#others?.indexOf(listener) ?? -1;
    if (index >= 0) this.#others?.splice(index, 1);
  }

  /** Cancels; only the first call counts. Listeners run synchronously, those added first run first. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#reason = reason;
    const first = this.#first;
    const second = this.#second;
    const others = this.#others;
    this.#first = undefined;
    this.#second = undefined;
    this.#others = undefined;
    if (first !== undefined) tell(first, reason);
    if (second !== undefined) tell(second, reason);
    if (others) for (const listener of others) tell(listener, reason);
    this.#controller?.abort(reason);
  }

  /** A cancellation can be the listener of another one: what is cancelled above is cancelled below. */
  handleCancel(reason: unknown): void {
    this.cancel(reason);
  }
}

function tell(listener: CancelListener | CancelHandler, reason: unknown): void {
  if (typeof listener === "function") listener(reason);
  else listener.handleCancel(reason);
}
