import { AsyncLocalStorage } from "node:async_hooks";
import type { Caller } from "./caller.ts";

/** The caller of a request, as far as calls made in answering it are decided by it. */
export type AnsweredCaller = Pick<Caller, "identity" | "address">;

const storage = new AsyncLocalStorage<AnsweredCaller>();
/** Whether something asks for the callers: servers of other processes save the keeping. */
let isAsked = false;

/** To be called before {@link answeredCaller} is asked: from now on, servers keep the caller of each request for the calls made in answering it. */
export function keepAnsweredCallers(): void {
  isAsked = true;
}

/** Whether callers are asked for. */
export function areAnsweredCallersKept(): boolean {
  return isAsked;
}

/** The verified caller of the request that is being answered here; `undefined` outside of one. */
export function answeredCaller(): AnsweredCaller | undefined {
  return storage.getStore();
}

/** Runs `answer` as the answer to a request of this caller. */
export function answerFor<Result>(caller: AnsweredCaller, answer: () => Result): Result {
  return storage.run(caller, answer);
}
