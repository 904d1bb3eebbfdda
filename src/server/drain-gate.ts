import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import { callerHeader, instanceHeader, letGoPath } from "../core/http/own-headers.ts";
import type { Callers, Closing } from "./callers.ts";
import type { Gate } from "./connections/door.ts";
import { refuse, refuseStream, refuseUpgrade } from "./connections/refusal.ts";
import type { Traffic } from "./connections/traffic.ts";
import { namesOf } from "./identity.ts";
import type { ServerReply, ServerRequest } from "./node-server.ts";

/** The parts of a server that a {@link DrainGate} works with. */
export interface DrainGateParts {
  readonly traffic: Traffic;
  readonly callers: Callers;
  /** The id of the instance in its registry, once it has one. */
  readonly id: () => string | undefined;
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
  }

  request(request: ServerRequest, reply: ServerReply): boolean {
    const { traffic, callers, clock } = this.#parts;
    const isFirst = traffic.request(request, reply);
    const caller = request.headers[callerHeader];
    const mesh = typeof caller === "string" ? caller : undefined;
    if (mesh !== undefined && request.method === "POST" && request.url === letGoPath) {
      callers.letGo(mesh);
      reply.statusCode = 204;
      (reply as { end(): unknown }).end();
      return true;
    }
    callers.called(mesh, isFirst ? connectionOf(request) : undefined);
    if (mesh !== undefined && (isFirst || this.#goneAt !== undefined)) reply.setHeader(instanceHeader, this.#announcement(request));
    if (this.#why === undefined) return false;
    refuse(request, reply, { clock, why: this.#why });
    return true;
  }

  stream(stream: ServerHttp2Stream): boolean {
    this.#parts.traffic.stream(stream);
    if (this.#why === undefined) return false;
    refuseStream(stream, this.#why);
    return true;
  }

  upgrade(request: ServerRequest, socket: Duplex): boolean {
    if (this.#why !== undefined) {
      refuseUpgrade(socket, this.#why);
      return true;
    }
    this.#parts.callers.called(undefined, undefined);
    this.#parts.traffic.upgrade(request, socket);
    return false;
  }

  #announcement(request: ServerRequest): string {
    const { id, clock } = this.#parts;
    const names = namesOf(id(), request.socket);
    return this.#goneAt === undefined ? names : `${names};leaving=${Math.max(0, Math.round(this.#goneAt - clock.now()))}`;
  }
}

function connectionOf(request: ServerRequest): Closing | undefined {
  return "stream" in request ? request.stream.session : request.socket;
}
