import type { ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import type { Gate } from "./connections/door.ts";
import { refuse, refuseStream, refuseUpgrade } from "./connections/refusal.ts";
import type { Traffic } from "./connections/traffic.ts";
import type { Inbound } from "./inbound/inbound.ts";
import type { ServerReply, ServerRequest } from "./node-server.ts";

/** Follows each request as traffic, and refuses requests once the server accepts nothing new. */
export class DrainGate implements Gate {
  readonly #traffic: Traffic;
  readonly #clock: Clock;
  readonly #inbound: Inbound | undefined;
  #why: string | undefined = undefined;

  constructor(traffic: Traffic, clock: Clock, inbound?: Inbound) {
    this.#traffic = traffic;
    this.#clock = clock;
    this.#inbound = inbound;
  }

  /** Refuses each request from now on, with this reason. */
  refuse(why: string): void {
    this.#why = why;
  }

  request(request: ServerRequest, reply: ServerReply, proceed: () => void): boolean {
    const record = this.#why === undefined ? this.#inbound?.open(request, reply, proceed) : undefined;
    this.#traffic.request(request, reply, record?.onEnd);
    if (this.#why !== undefined) {
      refuse(request, reply, { clock: this.#clock, why: this.#why });
      return true;
    }
    if (record === undefined) return false;
    if (!record.run()) record.handle();
    return true;
  }

  stream(stream: ServerHttp2Stream): boolean {
    this.#traffic.stream(stream);
    if (this.#why === undefined) return false;
    refuseStream(stream, this.#why);
    return true;
  }

  upgrade(request: ServerRequest, socket: Duplex): boolean {
    if (this.#why !== undefined) {
      refuseUpgrade(socket, this.#why);
      return true;
    }
    this.#inbound?.upgrade(request);
    this.#traffic.upgrade(request, socket);
    return false;
  }
}
