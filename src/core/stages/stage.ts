import type { Dispatch, Interceptor, MeshRequest, MeshResponse } from "../dispatch.ts";

/** Takes the result of a request: one of its methods is called, once. */
export interface Receiver {
  answered(response: MeshResponse): void;
  failed(error: unknown): void;
}

/**
 * Sends a request and tells a receiver of its result: a {@link Dispatch} without a promise. A layer that waits for the one below holds an object of
 * three fields then, in place of a promise, a reaction, two functions and a scope, which are five times as large. It may throw as long as it has
 * told nothing.
 */
export type Send = (request: MeshRequest, receiver: Receiver) => void;

/** An {@link Interceptor} without promises, the form of the layers that every call passes. */
export type Stage = (next: Send) => Send;

/**
 * A dispatch as a {@link Send}. Results are told in microtasks of their own, in the asynchronous context of the request, and not in the middle of
 * what a connection does.
 */
export function sendOf(dispatch: Dispatch): Send {
  return (request, receiver) => {
    settleWith(dispatch(request), receiver);
  };
}

/** A {@link Send} as a dispatch. */
export function dispatchOf(send: Send): Dispatch {
  return (request) => new Promise((resolve, reject) => send(request, { answered: resolve, failed: reject }));
}

/** A stage as an interceptor. */
export function interceptorOf(stage: Stage): Interceptor {
  return (next) => dispatchOf(stage(sendOf(next)));
}

/** Tells `receiver` of the result of a promise. Bound functions are smaller than closures, with their scope, by a third. */
export function settleWith(result: Promise<MeshResponse>, receiver: Receiver): void {
  // An interceptor of the program may have returned anything.
  Promise.resolve(result).then(tellAnswer.bind(receiver), tellFailure.bind(receiver));
}

function tellAnswer(this: Receiver, response: MeshResponse): void {
  try {
    this.answered(response);
  } catch (error) {
    // A receiver that throws has failed: its caller must not wait for ever.
    this.failed(error);
  }
}

function tellFailure(this: Receiver, error: unknown): void {
  this.failed(error);
}
