import { AsyncLocalStorage } from "node:async_hooks";
import type { Duplex } from "node:stream";
import type { Clock } from "../../core/clock.ts";
import type { CallPriority } from "../../core/dispatch.ts";
import { observersOf, type ServerObservers } from "../../core/observing/served-mesh.ts";
import { answerFor, areAnsweredCallersKept } from "../../core/peers/answered-caller.ts";
import type { Caller } from "../../core/peers/caller.ts";
import { continueWith } from "../../policies/incoming.ts";
import { ifLeftBehind, isBehindOthers } from "../connections/left-behind.ts";
import type { GrpcApplication } from "../grpc/grpc-js-server.ts";
import type { ServerReply, ServerRequest } from "../node-server.ts";
import { streamRequestOf } from "../streams/stream-request.ts";
import { answerOf } from "./answer-of.ts";
import { refuseLate } from "./deadline-part.ts";
import { type InboundOptions, type InboundSettings, inboundOptions } from "./inbound-options.ts";
import { type InboundHost, type InboundPart, InboundRequest } from "./inbound-request.ts";
import { keepContext } from "./keep-context.ts";
import type { Observe } from "./log/access-log.ts";
import type { AskReadiness } from "./own-paths.ts";
import { inboundPipeline, type Pipeline } from "./pipeline.ts";

/** The record of a request that a middleware has seen; global, so that it holds for two copies of this package too. */
const recordKey = Symbol.for("inmesh inbound request");
const callerKey = Symbol.for("inmesh upgrade caller");

interface Marked {
  [recordKey]?: InboundRequest;
  /** Of a request for an upgrade, which has no record. */
  [callerKey]?: Caller;
}

/** The record of the stream that is being answered here: its handlers get no object that it could be kept on. */
const answering = new AsyncLocalStorage<InboundRequest>();

/**
 * The caller of a request that has passed `inbound`, as far as it is verified: its identity, its address and its tokens. `undefined` for a request that no
 * middleware has seen. Of Fastify it is `callerOf(request.raw)`; in a handler of gRPC it is `callerOf()`, without a request.
 */
export function callerOf(): Caller | undefined;
export function callerOf(request: ServerRequest): Caller | undefined;
export function callerOf(request?: ServerRequest): Caller | undefined {
  const { [recordKey]: record = request === undefined ? answering.getStore() : undefined, [callerKey]: upgraded } = (request ??
    {}) as Marked;
  return record === undefined ? upgraded : { identity: record.identity, address: record.address, tokens: record.tokens };
}

/** The server in front of whose handlers an {@link Inbound} is. */
export interface InboundAround {
  readonly readiness: AskReadiness;
  readonly mesh?: object | undefined;
  /** The server itself, where it is one of grpc-js. */
  readonly grpc?: Pick<GrpcApplication, "services"> | undefined;
}

/** The parts that the requests of a server meet before their handlers see them. */
export class Inbound implements InboundHost {
  readonly parts: readonly InboundPart[];
  readonly clock: Clock;
  readonly #settings: InboundSettings;
  readonly #observers: ServerObservers | undefined;
  readonly #pipeline: Pipeline;

  /** The one that the options of `serve` ask for; `undefined` where they ask for none. */
  static of(
    { inbound, mesh, clock }: { inbound: InboundOptions | false; mesh: object | undefined; clock: Clock },
    around: Pick<InboundAround, "readiness" | "grpc">,
  ): Inbound | undefined {
    return inbound === false ? undefined : new Inbound(inboundOptions.settle({ clock, ...inbound }), { ...around, mesh });
  }

  constructor(settings: InboundSettings, { readiness, mesh, grpc }: InboundAround) {
    this.#settings = settings;
    this.clock = settings.clock;
    this.#observers = mesh === undefined ? undefined : observersOf(mesh);
    this.#pipeline = inboundPipeline(settings, { readiness, observers: this.#observers, observe: observeOf(mesh), grpc });
    this.parts = this.#pipeline.parts;
  }

  /**
   * The record of a request; `undefined` for one that another middleware has seen already, which it only lets pass: it would be counted, limited and logged
   * twice. `next` calls the handler. The caller of this calls `end` of the record when the response has closed.
   */
  open(request: ServerRequest, reply: ServerReply, next: () => void): InboundRequest | undefined {
    const marked = request as Marked;
    if (marked[recordKey] !== undefined) return undefined;
    const record = new InboundRequest(this, request, reply, next, this.clock.now());
    marked[recordKey] = record;
    return record;
  }

  /** {@link open}, and the end by the response itself. */
  openAlone(request: ServerRequest, reply: ServerReply, next: () => void): InboundRequest | undefined {
    const record = this.open(request, reply, next);
    if (record === undefined) return undefined;
    (reply as Marked)[recordKey] = record;
    // One function for all responses, which finds the record by itself.
    (reply as NodeJS.EventEmitter).on("close", onClose);
    // Without a function for each request where none waits.
    if (isBehindOthers(request, reply)) ifLeftBehind(request, reply, record.onEnd);
    return record;
  }

  /**
   * Judges a request for an upgrade, which sees nothing else of this, since it leaves HTTP. Returns whether it has taken the request, as a part's `arrive`
   * does: it has refused it, or calls `proceed` later.
   */
  upgrade(request: ServerRequest, socket: Duplex, proceed: () => boolean): boolean {
    const accept = (caller: Caller): void => {
      (request as Marked)[callerKey] = caller;
    };
    return this.#pipeline.upgrades.judge(request, socket, { accept, proceed });
  }

  /** Whether requests must not reach listeners that these parts do not stand in front of. */
  get isJudging(): boolean {
    return this.#pipeline.upgrades.isJudging;
  }

  /** Whether a request is one of the mesh's own, such as a probe of an orchestrator. */
  isOwn(request: ServerRequest): boolean {
    return this.#pipeline.own.has(request);
  }

  routeOf(request: ServerRequest): string | undefined {
    const { route } = this.#settings;
    if (route === undefined) return undefined;
    return answerOf(
      { what: "the function route", ask: () => route(request), isAnswer: isRoute, wanted: "string or undefined" },
      () => undefined,
    );
  }

  priorityOf(request: ServerRequest): CallPriority {
    const { priority } = this.#settings;
    if (priority === undefined) return "normal";
    return answerOf(
      { what: "the function priority", ask: () => priority(request), isAnswer: isPriority, wanted: '"high", "normal" or "low"' },
      () => "normal" as const,
    );
  }

  handle(record: InboundRequest, next: () => void): void {
    const { remainingMs, attempt, isCopy, followers, hasContext, upstreams, request, reply } = record;
    const isLimited = attempt > 1 || remainingMs !== Number.POSITIVE_INFINITY;
    const hasCaller = areAnsweredCallersKept();
    const { stream } = streamRequestOf(request) ?? {};
    if (!(stream !== undefined || isLimited || isCopy || hasContext || hasCaller || upstreams !== undefined)) {
      next();
      return;
    }
    let run = (): void => {
      if (stream === undefined) keepContext(request, reply);
      else keepContext(stream);
      next();
    };
    if (isLimited || isCopy) {
      const waitsMs = remainingMs - (this.clock.now() - record.startedAt);
      // It has waited for a place for too long.
      if (waitsMs <= 0) {
        refuseLate(record);
        return;
      }
      const inner = run;
      run = () => continueWith({ waitsMs, attempt, isCopy }, inner, this.clock);
    }
    if (hasCaller) {
      const inner = run;
      const caller = { identity: record.identity, address: record.address };
      run = () => answerFor(caller, inner);
    }
    if (stream !== undefined) {
      const inner = run;
      run = () => answering.run(record, inner);
    }
    if (upstreams !== undefined) {
      const inner = run;
      run = () => upstreams.around(inner);
    }
    if (hasContext && followers !== undefined) this.#observers?.around(followers, run);
    else run();
  }

  /** Whether this process is ready may have changed. */
  look(): void {
    this.#pipeline.grpcHealth?.look();
  }

  /** Ends what would not end by itself: the calls of those that watch the health. */
  leave(): void {
    this.#pipeline.grpcHealth?.end();
  }

  /** Writes the rest of the access log, and ends the timer. Requests that still come are handled as before. */
  async close(): Promise<void> {
    this.#pipeline.process.close();
    this.leave();
    this.#pipeline.authorization?.close();
    await this.#pipeline.log?.close();
  }
}

/** The way to add observers to a mesh; `undefined` for a double of one, such as that of a test. */
function observeOf(mesh: object | undefined): Observe | undefined {
  const { observe } = (mesh ?? {}) as { readonly observe?: Observe };
  return typeof observe === "function" ? (observer) => observe.call(mesh, observer) : undefined;
}

function onClose(this: ServerReply): void {
  (this as Marked)[recordKey]?.end();
}

function isRoute(given: unknown): given is string | undefined {
  return given === undefined || typeof given === "string";
}

function isPriority(given: unknown): given is CallPriority {
  return given === "high" || given === "normal" || given === "low";
}
