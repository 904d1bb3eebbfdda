import type { MeshRequest } from "../../core/dispatch.ts";
import type { CallEnd, CallObserver, Observation } from "../../core/observing/call-observer.ts";
import type { EventSink, MeshEvent } from "../../core/observing/events.ts";
import type { AttemptEnd, AttemptObserver, Observer } from "../../core/observing/observer.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import type { Upstream } from "../../core/upstream.ts";

const nobody: Observer = {};

/** Several observers as one. What one of them throws disturbs neither the call nor the others. */
export class Observers implements EventSink {
  /** The place of one that has left stays empty: calls under way know their followers by it. */
  readonly #observers: Observer[];
  #hasWarned = false;

  constructor(observers: readonly Observer[]) {
    this.#observers = [...observers];
  }

  /** Adds one, which hears of what begins from now on, and returns what takes it away again. */
  join(observer: Observer, mesh: MeshReading): () => void {
    const place = this.#observers.push(observer) - 1;
    this.guard(() => observer.onOpen?.(mesh));
    return () => {
      if (this.#observers[place] !== observer) return;
      this.#observers[place] = nobody;
      this.guard(() => observer.onClose?.());
    };
  }

  /** Calls `tell` with every observer. */
  each(tell: (observer: Observer) => void): void {
    for (const observer of this.#observers) this.guard(() => tell(observer));
  }

  /** Hands an event to each observer that takes events; `undefined` while none does. */
  get emit(): ((event: MeshEvent) => void) | undefined {
    return this.#observers.some(({ onEvent }) => onEvent !== undefined) ? this.#emit : undefined;
  }

  readonly #emit = (event: MeshEvent): void => {
    this.each((observer) => observer.onEvent?.(event));
  };

  /** Who follows this call, by observer; `undefined` when nobody does, which is the normal case and makes nothing. */
  followCall(request: MeshRequest): Observation | undefined {
    const observers = this.#observers;
    let followers: (CallObserver | undefined)[] | undefined;
    for (let index = 0; index < observers.length; index++) {
      try {
        const follower = observers[index]?.onCall?.(request);
        if (follower === undefined) continue;
        // Those before it follow nothing: the place of a follower is that of its observer.
        if (followers === undefined) followers = index === 0 ? [follower] : [...new Array<undefined>(index).fill(undefined), follower];
        else followers[index] = follower;
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** Tells those who follow a call that it has ended. */
  callEnded(followers: Observation, end: CallEnd): void {
    for (const follower of followers) {
      try {
        follower?.onEnd?.(end);
      } catch (error) {
        this.#warn(error);
      }
    }
  }

  /** Tells those who follow an attempt that it has ended. */
  attemptEnded(followers: readonly AttemptObserver[], end: AttemptEnd): void {
    for (const follower of followers) {
      try {
        follower.onEnd?.(end);
      } catch (error) {
        this.#warn(error);
      }
    }
  }

  /** Who follows this attempt; `undefined` when nobody does. */
  followAttempt(request: MeshRequest, upstream: Upstream): readonly AttemptObserver[] | undefined {
    let followers: AttemptObserver[] | undefined;
    for (let index = 0; index < this.#observers.length; index++) {
      try {
        const follower = this.#observers[index]?.onAttempt?.(request, upstream, request.observation?.[index]);
        if (follower === undefined) continue;
        if (followers === undefined) followers = [follower];
        else followers.push(follower);
      } catch (error) {
        this.#warn(error);
      }
    }
    return followers;
  }

  /** Runs an observer's code. */
  guard(run: () => unknown): void {
    try {
      run();
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`an observer of the mesh threw: ${String(error)}`, "MeshObserverWarning");
  }
}
