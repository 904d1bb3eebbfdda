import { describeError } from "../errors.ts";

const warned = new Set<string>();

/**
 * Turns what a callback of the program threw, or rejected with, into a process warning, the first time for each kind of callback: `what` names it.
 * A callback that tells or learns something must end neither a call, nor a watch, nor, from a timer or a socket, the process.
 */
export function warnOfThrow(what: string, thrown: unknown): void {
  if (warned.has(what)) return;
  warned.add(what);
  process.emitWarning(`${what} threw: ${describeError(thrown)}`, "MeshCallbackWarning");
}

/** Calls a callback of the program, whose error, or rejection where it is an async function, becomes a warning; see {@link warnOfThrow}. */
export function fenced(what: string, call: () => unknown): void {
  try {
    fenceResult(what, call());
  } catch (thrown) {
    warnOfThrow(what, thrown);
  }
}

/** Sees to the rejection of a callback that turned out to be an async function. */
export function fenceResult(what: string, result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return;
  Promise.resolve(result).catch((error: unknown) => warnOfThrow(what, error));
}

/** Tells a listener that a body has closed: where a socket or a timer tells it, an error would end the process. */
export function tellClosed(listener: (error: unknown) => void, error: unknown): void {
  try {
    listener(error);
  } catch (thrown) {
    warnOfThrow("a listener of the end of a body", thrown);
  }
}
