import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../../../core/clock.ts";
import type { MeshRequest } from "../../../core/dispatch.ts";
import { isMeshError } from "../../../core/errors.ts";
import type { CallEnd, CallObserver, RouteDecision } from "../../../core/observing/call-observer.ts";
import type { Observer } from "../../../core/observing/observer.ts";
import type { Routed } from "../../../core/routed.ts";

const storage = new AsyncLocalStorage<UpstreamCalls>();

/** The calls of a mesh that were made while one request was served. Its handler's asynchronous context holds it, and may live on: it lets go of all at the end. */
export class UpstreamCalls {
  /** The watch that it belongs to: a mesh has several where several servers share it. */
  readonly watch: UpstreamWatch;
  /** Calls beyond the greatest number. */
  more = 0;
  #calls: UpstreamCall[] | undefined = undefined;
  #isOver = false;

  constructor(watch: UpstreamWatch) {
    this.watch = watch;
  }

  /** Runs a handler, whose calls are noted here. */
  around(handler: () => void): void {
    storage.run(this, handler);
  }

  /** Follows a call, as far as it is one of the first. */
  begin(request: MeshRequest): UpstreamCall | undefined {
    if (this.#isOver) return undefined;
    this.#calls ??= [];
    if (this.#calls.length >= this.watch.max) {
      this.more++;
      return undefined;
    }
    const call = new UpstreamCall(request, this.watch.clock);
    this.#calls.push(call);
    return call;
  }

  /** The calls that were made, in their order. None is noted from now on. */
  end(): readonly UpstreamCall[] {
    const calls = this.#calls ?? [];
    this.#calls = undefined;
    this.#isOver = true;
    return calls;
  }
}

/** A call of a mesh, as a line of the log has it. */
export class UpstreamCall implements CallObserver {
  readonly request: MeshRequest;
  /** The decision of the routes; `undefined` where no rule matched. */
  routed: Routed | undefined = undefined;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #end: CallEnd | undefined = undefined;

  constructor(request: MeshRequest, clock: Clock) {
    this.request = request;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  onRouted({ routed }: RouteDecision): void {
    this.routed = routed;
  }

  onEnd(end: CallEnd): void {
    this.#end = end;
  }

  /** The state of the call: `pending` before its response body has closed. */
  get outcome(): "ended" | "cancelled" | "pending" {
    if (this.#end === undefined) return "pending";
    return this.#end.cancelled ? "cancelled" : "ended";
  }

  /** The code of its failure; `undefined` where it has not failed. */
  get error(): string | undefined {
    const error = this.#end?.cancelled ? undefined : this.#end?.error;
    if (error === undefined) return undefined;
    return isMeshError(error) ? error.code : "ERR_UNKNOWN";
  }

  /** The status that the handler got; of a call under way that of its last attempt. */
  get status(): number | undefined {
    return this.#end === undefined ? this.request.attempts.at(-1)?.status : this.#end.status;
  }

  /** Milliseconds up to the end of its body, or up to now. */
  get ms(): number {
    return this.#end?.totalMs ?? this.#clock.now() - this.#startedAt;
  }

  /** Milliseconds from the response head to the end of the body. */
  get bodyMs(): number {
    return this.#end === undefined ? 0 : this.#end.totalMs - this.#end.headMs;
  }
}

/** Watches a mesh for calls that are made while a request is served. */
export class UpstreamWatch implements Observer {
  /** Calls of one request that are followed. */
  readonly max: number;
  readonly clock: Clock;

  constructor(max: number, clock: Clock) {
    this.max = max;
    this.clock = clock;
  }

  onCall(request: MeshRequest): CallObserver | undefined {
    const calls = storage.getStore();
    return calls?.watch === this ? calls.begin(request) : undefined;
  }
}
