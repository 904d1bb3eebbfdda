import type { MeshRequest } from "../../core/dispatch.ts";
import type { CallObserver, Observation } from "../../core/observing/call-observer.ts";
import type { MeshEvent } from "../../core/observing/events.ts";
import type { AttemptObserver, Observer } from "../../core/observing/observer.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import type { ServerObservers } from "../../core/observing/served-mesh.ts";
import type { ServedObserver, ServedRequest } from "../../core/observing/served-request.ts";
import { cleanText } from "../../core/text/clean-text.ts";
import type { Upstream } from "../../core/upstream.ts";

/** Takes the place of an observer that has left. */
const absent: Observer = {};

/** The observers of a mesh. An error of one of them disturbs neither the call nor the others; it is one process warning. */
export class Observers implements ServerObservers {
  /** Calls under way know their followers by the index of the observer, so an observer that leaves keeps its place. */
  readonly #observers: Observer[];
  #hasWarned = false;

  constructor(observers: readonly Observer[]) {
    this.#observers = [...observers];
  }

  /** Adds an observer for everything that begins from now on; returns the function that removes it. */
  join(observer: Observer, mesh: MeshReading): () => void {
    const place = this.#observers.push(observer) - 1;
    this.guard(() => observer.onOpen?.(mesh));
    return () => {
      if (this.#observers[place] !== observer) return;
      this.#observers[place] = absent;
      this.guard(() => observer.onClose?.());
    };
  }

  /** Calls `tell` with each observer. */
  each(tell: (observer: Observer) => unknown): void {
    for (const observer of this.#observers) this.guard(() => tell(observer));
  }

  /** Hands an event to each observer that takes events; `undefined` while there is none. */
  get emit(): ((event: MeshEvent) => void) | undefined {
    return this.#observers.some(({ onEvent }) => onEvent !== undefined) ? this.#emit : undefined;
  }

  readonly #emit = (event: MeshEvent): void => {
    this.each((observer) => observer.onEvent?.(event));
  };

  /** The followers of a call, by observer; `undefined`, and nothing allocated, while no observer follows it. */
  followCall(request: MeshRequest): Observation | undefined {
    const observers = this.#observers;
    let followers: (CallObserver | undefined)[] | undefined;
    for (let index = 0; index < observers.length; index++) {
      try {
        const follower = observers[index]?.onCall?.(request);
        if (follower === undefined || this.#isPromise(follower)) continue;
        // The observers before it follow nothing: a follower has the index of its observer.
        if (followers === undefined) followers = index === 0 ? [follower] : [...new Array<undefined>(index).fill(undefined), follower];
        else followers[index] = follower;
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** The followers of an attempt; `undefined` when there is none. */
  followAttempt(request: MeshRequest, upstream: Upstream): readonly AttemptObserver[] | undefined {
    let followers: AttemptObserver[] | undefined;
    for (let index = 0; index < this.#observers.length; index++) {
      try {
        const follower = this.#observers[index]?.onAttempt?.(request, upstream, request.observation?.[index]);
        if (follower === undefined || this.#isPromise(follower)) continue;
        if (followers === undefined) followers = [follower];
        else followers.push(follower);
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** The followers of a copy of a call; `undefined` when there is none. */
  followCopy(request: MeshRequest, upstream: Upstream): readonly AttemptObserver[] | undefined {
    let followers: AttemptObserver[] | undefined;
    for (const [index, observer] of this.#observers.entries()) {
      try {
        const follower = observer.onCopy?.(request, upstream, request.observation?.[index]);
        if (follower === undefined || this.#isPromise(follower)) continue;
        if (followers === undefined) followers = [follower];
        else followers.push(follower);
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** The followers of a request that a server of this process got; `undefined` when there is none. */
  followServed(request: ServedRequest): readonly ServedObserver[] | undefined {
    let followers: ServedObserver[] | undefined;
    for (const observer of this.#observers) {
      try {
        const follower = observer.onServe?.(request);
        if (follower === undefined || this.#isPromise(follower)) continue;
        if (followers === undefined) followers = [follower];
        else followers.push(follower);
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** Runs `run` exactly once, inside the `around` of the followers, whatever these do. Returns its result; what `run` throws is thrown. */
  around<T>(followers: readonly Pick<ServedObserver, "around">[], run: () => T): T {
    const ran: { result?: T; thrown?: { readonly error: unknown }; isBegun: boolean } = { isBegun: false };
    const runOnce = (): unknown => {
      if (ran.isBegun) return ran.result;
      ran.isBegun = true;
      try {
        ran.result = run();
      } catch (error) {
        ran.thrown = { error };
      }
      return ran.result;
    };
    let outermost = runOnce;
    for (const follower of followers) {
      if (follower.around === undefined) continue;
      const inner = outermost;
      outermost = () => follower.around?.(inner);
    }
    this.guard(() => {
      const result = outermost();
      // The rejection of the result itself is none of the observers.
      return result === ran.result ? undefined : result;
    });
    runOnce();
    if (ran.thrown !== undefined) throw ran.thrown.error;
    return ran.result as T;
  }

  /** Tells the followers of a call, an attempt or a served request that it has ended. */
  ended<End>(followers: readonly ({ onEnd?(end: End): void } | undefined)[], end: End): void {
    for (const follower of followers) {
      try {
        const result: unknown = follower?.onEnd?.(end);
        if (result !== undefined) this.#isPromise(result);
      } catch (error) {
        this.#warn(error);
      }
    }
  }

  /** Runs code of an observer; an error becomes a warning. */
  guard(run: () => unknown): void {
    try {
      const result = run();
      if (result !== undefined) this.#isPromise(result);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** An async function is accepted where one without a result is wanted; nothing waits for it, and its rejection would end the process. */
  #isPromise(result: unknown): boolean {
    if (typeof (result as PromiseLike<unknown> | null)?.then !== "function") return false;
    Promise.resolve(result).catch((error: unknown) => this.#warn(error));
    return true;
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    let text = "an error that cannot be shown";
    try {
      text = cleanText(String(error));
    } catch {
      // What was thrown refuses to be a string.
    }
    process.emitWarning(`an observer of the mesh threw: ${text}`, "MeshObserverWarning");
  }
}
