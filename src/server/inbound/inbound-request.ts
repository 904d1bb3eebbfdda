import { AsyncContext } from "../../core/async-context.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import type { CallPriority } from "../../core/dispatch.ts";
import { rawHeader } from "../../core/http/raw-headers.ts";
import type { ServedAuthorization, ServedObserver, ServedRequest } from "../../core/observing/served-request.ts";
import type { Caller, VerifiedToken } from "../../core/peers/caller.ts";
import { type RpcMethod, rpcMethodOf } from "../../core/rpc/rpc-method.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import type { Waiter } from "../../policies/concurrency/wait-queue.ts";
import { type Refusal, refuse } from "../connections/refusal.ts";
import type { ServerReply, ServerRequest } from "../node-server.ts";
import { isGrpcOfListener, sentRpcStatus } from "../streams/listened-call.ts";
import { streamReplyOf } from "../streams/stream-reply.ts";
import { streamRequestOf } from "../streams/stream-request.ts";
import type { UpstreamCalls } from "./log/upstream-calls.ts";
import { type Peer, peerOf } from "./peer.ts";

/** One part of what happens to a request before its handler sees it. One object serves all requests; what it keeps of one is in its record. */
export interface InboundPart {
  /** Names the part where it refuses a request. */
  readonly name: string;
  /** Sees a request that has arrived. `true`: it has taken the request: it has answered, or calls `resume()` when the request's turn has come. */
  arrive?(request: InboundRequest): boolean;
  /** Sees the end of each request that `arrive` was called for. */
  leave?(request: InboundRequest): void;
}

/** The middleware that a request has come to. */
export interface InboundHost {
  readonly parts: readonly InboundPart[];
  readonly clock: Clock;
  routeOf(request: ServerRequest): string | undefined;
  priorityOf(request: ServerRequest): CallPriority;
  /** Calls the handler, in the context of the request. */
  handle(request: InboundRequest, next: () => void): void;
}

/** A request under way: one record for all parts, which keep what they need in it. */
export class InboundRequest implements ServedRequest, Caller {
  readonly request: ServerRequest;
  readonly reply: ServerReply;
  readonly peer: Peer;
  readonly startedAt: number;
  readonly target: string;
  /** The verified identity of the caller: that of the connection, until a part believes a proxy in front. */
  identity: string | undefined;
  /** The tokens that a part has verified. */
  tokens: readonly VerifiedToken[] = [];
  /** The part that has answered; `undefined` while none has. */
  refusedBy: string | undefined = undefined;
  /** The decision of the policy; `undefined` where none has been asked. */
  authorization: ServedAuthorization | undefined = undefined;
  /** Milliseconds that the caller still waited at the arrival; `Infinity` where the request does not say. */
  remainingMs: number = Number.POSITIVE_INFINITY;
  /** The number of the attempt for its caller, from 1. */
  attempt = 1;
  /** Whether it is the copy of another request. */
  isCopy = false;
  /** Whether it is one of the mesh's own, such as a probe: it counts in no limit, metric or log. */
  isOwn = false;
  followers: readonly ServedObserver[] | undefined = undefined;
  /** Whether a follower wants the handler to run inside its context. */
  hasContext = false;
  /** Requests under way when it arrived, itself included; 0 where that is not counted. */
  inFlight = 0;
  /** Time at which it got its place under the concurrency limit, and how many had one then; 0 while it has none. */
  placeAt = 0;
  inFlightAtPlace = 0;
  /** Its entry in the queue of that limit, while it waits there. */
  waiter: { readonly waiter: Waiter; readonly timer: Timer } | undefined = undefined;
  /** The calls of the mesh that its handler makes; `undefined` where they are not logged. */
  upstreams: UpstreamCalls | undefined = undefined;
  /** Bytes written on the connection before it. */
  writtenBefore = 0;
  readonly #host: InboundHost;
  readonly #next: () => void;
  /** The part that comes next. */
  #at = 0;
  #priority: CallPriority | undefined = undefined;
  #hasEnded = false;
  #inContext: AsyncContext | undefined = undefined;

  constructor(host: InboundHost, request: ServerRequest, reply: ServerReply, next: () => void, startedAt: number) {
    this.#host = host;
    this.#next = next;
    this.request = request;
    this.reply = reply;
    this.peer = peerOf(request);
    this.identity = this.peer.identity;
    this.startedAt = startedAt;
    // Express takes the path of a router off `url`.
    this.target = (request as { readonly originalUrl?: string }).originalUrl ?? request.url ?? "/";
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  /** Whether it is a call of gRPC to a listener of streams. */
  get isRpc(): boolean {
    return streamRequestOf(this.request)?.isRpc === true;
  }

  get rpc(): RpcMethod | undefined {
    return this.isRpc || isGrpcOfListener(this.request) ? rpcMethodOf(this.target) : undefined;
  }

  /** The status of a call of gRPC at its end; `undefined` for other requests. */
  get rpcStatus(): number | undefined {
    if (this.isRpc) return streamReplyOf(this.reply)?.rpcStatus ?? rpcStatus.CANCELLED;
    return isGrpcOfListener(this.request) ? (sentRpcStatus(this.reply) ?? rpcStatus.CANCELLED) : undefined;
  }

  get scheme(): "http" | "https" {
    return this.peer.isSecure ? "https" : "http";
  }

  get httpVersion(): string {
    return this.request.httpVersion;
  }

  get peerAddress(): string | undefined {
    return this.peer.address;
  }

  get address(): string | undefined {
    return this.peer.address;
  }

  get isClearTextBesideTls(): boolean {
    return this.peer.isClearTextBesideTls;
  }

  get isInstrumented(): boolean {
    return this.peer.isInstrumented;
  }

  /** Asked at the end: a router finds the route after this record was made. */
  get route(): string | undefined {
    return this.#host.routeOf(this.request);
  }

  /** Asked when a limit needs it. */
  get priority(): CallPriority {
    this.#priority ??= this.#host.priorityOf(this.request);
    return this.#priority;
  }

  header(name: string): string | undefined {
    return rawHeader(this.request.rawHeaders, name);
  }

  /** Whether its response has been sent, or its connection has closed. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Lets each part see it, and then the handler. Returns whether a part has taken it. */
  run(): boolean {
    const { parts } = this.#host;
    while (this.#at < parts.length) {
      if (parts[this.#at++]?.arrive?.(this) === true) return true;
    }
    return false;
  }

  /** Keeps the asynchronous context of its arrival, for {@link resume}: a turn comes in that of another request. */
  keepContext(): void {
    this.#inContext = new AsyncContext();
  }

  /** Goes on after the part that took it. In a turn of its own: what a handler throws ends no other request. */
  resume(): void {
    queueMicrotask(() => {
      if (this.#hasEnded) return;
      const goOn = (): void => {
        if (!this.run()) this.handle();
      };
      if (this.#inContext === undefined) goOn();
      else this.#inContext.run(goOn);
    });
  }

  /** Hands it to the handler. */
  handle(): void {
    this.#host.handle(this, this.#next);
  }

  /** Answers it in the name of a part, before any handler sees it. Returns `true`, as the part's `arrive` does. */
  refuse(part: string, refusal: Omit<Refusal, "clock">): true {
    this.refusedBy = part;
    refuse(this.request, this.reply, { clock: this.#host.clock, ...refusal });
    return true;
  }

  /** {@link end} as a function of its own. */
  get onEnd(): () => void {
    return () => this.end();
  }

  /** Its response has been sent, or its connection has closed. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { parts } = this.#host;
    for (let index = this.#at - 1; index >= 0; index--) parts[index]?.leave?.(this);
  }
}
