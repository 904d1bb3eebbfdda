import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { callerHeader, instanceHeader, letGoPath } from "../core/http/own-headers.ts";
import { rawHeader } from "../core/http/raw-headers.ts";
import type { Callers, Closing } from "./callers.ts";
import type { Gate, ReceivedHeaders } from "./connections/door.ts";
import { refuse, refuseStream, refuseUpgrade } from "./connections/refusal.ts";
import { addToSwitch } from "./connections/switch-header.ts";
import type { Traffic } from "./connections/traffic.ts";
import { namesOf } from "./identity.ts";
import type { Inbound } from "./inbound/inbound.ts";
import { endReply, type NodeServer, type ServerReply, type ServerRequest } from "./node-server.ts";
import { isProbe } from "./probes.ts";
import { asReply, StreamReply } from "./streams/stream-reply.ts";
import { asRequest, StreamRequest } from "./streams/stream-request.ts";

/** The parts of a server that a {@link DrainGate} works with. */
export interface DrainGateParts {
  readonly server: NodeServer;
  readonly traffic: Traffic;
  readonly callers: Callers;
  /** The id of the instance in its registry, once it has one. */
  readonly id: () => string | undefined;
  /** The parts that requests meet before their handlers; `undefined` for none. */
  readonly inbound: Inbound | undefined;
  readonly clock: Clock;
}

/**
 * Follows each request as traffic and as one of its caller, names this instance to callers that are meshes, tells them when it leaves, and refuses requests
 * once the server accepts nothing new.
 */
export class DrainGate implements Gate {
  readonly #parts: DrainGateParts;
  /** The time at which the server expects to be gone; `undefined` while it does not leave. */
  #goneAt: number | undefined = undefined;
  #why: string | undefined = undefined;

  constructor(parts: DrainGateParts) {
    this.#parts = parts;
  }

  /** Tells callers from now on that the server leaves, and is gone at this time of the clock. */
  leave(goneAt: number): void {
    this.#goneAt = goneAt;
  }

  /** Tells them no more: the instance stays. */
  stay(): void {
    this.#goneAt = undefined;
  }

  /** Refuses each request from now on, with this reason. */
  refuse(why: string): void {
    this.#why = why;
    this.#parts.inbound?.leave();
  }

  request(request: ServerRequest, reply: ServerReply, proceed: () => void): boolean {
    const { traffic, callers, inbound, clock } = this.#parts;
    const record = this.#why === undefined ? inbound?.open(request, reply, proceed) : undefined;
    const isFirst = traffic.request(request, reply, record?.onEnd);
    // Not of `headers`, which Node.js makes when they are first asked for.
    const mesh = rawHeader(request.rawHeaders, callerHeader);
    if (mesh !== undefined && request.method === "POST" && request.url === letGoPath) {
      callers.letGo(mesh);
      reply.statusCode = 204;
      endReply(reply);
      return true;
    }
    if (mesh !== undefined) callers.called(mesh, isFirst ? connectionOf(request) : undefined);
    // A probe is no call: it goes on until the end.
    else if (callers.isOtherDue(record?.startedAt ?? clock.now()) && !(inbound?.isOwn(request) === true || isProbe(request)))
      callers.called(undefined, undefined);
    if (mesh !== undefined && (isFirst || this.#goneAt !== undefined)) reply.setHeader(instanceHeader, this.#announcement(request));
    if (this.#why !== undefined) {
      refuse(request, reply, { clock, why: this.#why });
      return true;
    }
    if (record === undefined) return false;
    if (!record.run()) record.handle();
    return true;
  }

  stream(stream: ServerHttp2Stream, { headers, rawHeaders }: ReceivedHeaders, proceed: () => void): boolean {
    const { traffic, inbound, server } = this.#parts;
    traffic.stream(stream);
    // Without a listener of requests, as the servers of gRPC are, the stream is the request.
    if (server.listenerCount("request") === 0 && headers[":method"] !== "CONNECT") {
      const request = new StreamRequest(stream, headers, rawHeaders);
      return this.request(asRequest(request), asReply(new StreamReply(stream, request.isRpc)), proceed);
    }
    // A listener of streams, and one of CONNECT, gets them before any rule is asked.
    const isUnjudged = inbound?.isJudging === true && (headers[":method"] === "CONNECT" || hasStreamListener(server));
    const why = this.#why ?? (isUnjudged ? "streams are not judged here" : undefined);
    if (why === undefined) return false;
    refuseStream(stream, why);
    return true;
  }

  upgrade(request: ServerRequest, socket: Duplex, proceed: () => boolean): boolean {
    if (this.#why !== undefined) {
      refuseUpgrade(socket, { why: this.#why });
      return true;
    }
    const mesh = rawHeader(request.rawHeaders, callerHeader);
    this.#parts.callers.called(mesh, undefined);
    // A mesh that does nothing but upgrade hears of it here alone.
    if (mesh !== undefined) addToSwitch(socket, () => `${instanceHeader}: ${this.#announcement(request)}`);
    this.#parts.traffic.upgrade(request, socket);
    return this.#parts.inbound?.upgrade(request, socket, proceed) ?? false;
  }

  #announcement(request: ServerRequest): string {
    const { id, clock } = this.#parts;
    const names = namesOf(id(), request.socket);
    return this.#goneAt === undefined ? names : `${names};leaving=${Math.max(0, Math.round(this.#goneAt - clock.now()))}`;
  }
}

/** Whether streams have a listener beside the one by which Node.js makes requests of them. */
function hasStreamListener(server: NodeServer): boolean {
  const listeners = (server as NodeJS.EventEmitter).listeners("stream");
  return listeners.length > (server.listenerCount("request") > 0 ? 1 : 0);
}

function connectionOf(request: ServerRequest): Closing | undefined {
  return "stream" in request ? request.stream.session : request.socket;
}
