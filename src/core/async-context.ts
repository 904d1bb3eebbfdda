import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/**
 * The asynchronous context of the moment at which it is made, to run something in it later. `AsyncLocalStorage.bind` and `snapshot` keep the same, and take
 * microseconds for it on Node 22 and 24, since they define properties of the function that they return.
 */
export class AsyncContext {
  readonly #resource = new AsyncResource("inmesh");

  run<Result>(work: () => Result): Result {
    return this.#resource.runInAsyncScope(work);
  }

  /** Calls a function in it, with its `this`. */
  apply<Args extends unknown[], Result>(call: (...args: Args) => Result, self: unknown, args: Args): Result {
    return this.#resource.runInAsyncScope(call, self, ...args);
  }
}

/**
 * Runs `start` outside of the asynchronous context of any call. Watches and health checks outlive the call that starts them: in its context,
 * their requests would be traced as part of it, and the values that its caller keeps there would not be freed.
 */
export const outsideOfCalls: <T>(start: () => T) => T = AsyncLocalStorage.snapshot();
