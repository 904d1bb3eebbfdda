import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { Dispatch, MeshRequest } from "../core/dispatch.ts";
import { MeshError } from "../core/errors.ts";
import { headersWith } from "../core/http/request-headers.ts";
import type { Upstream } from "../core/upstream.ts";
import { Exchange } from "./exchange.ts";
import { codeOfReason, failureOf, record } from "./failure.ts";
import { Pools } from "./pools.ts";
import { decodeHeaders } from "./raw-headers.ts";
import type { PoolOptions } from "./upstream-pool.ts";
import { Pieces, type WireBody, wireBody } from "./wire-body.ts";

/** Limit of an instance's answer to an upgrade. */
const upgradeTimeoutMs = 10_000;

/** A connection that has changed its protocol. */
export interface Upgraded {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly socket: Duplex;
}

/** Sends requests to the upstream that the balancer has chosen, over its pool of connections. */
export class Transport {
  readonly #clock: Clock;
  readonly #pools: Pools;
  /** Connections that have changed their protocol; they have left their pools. */
  readonly #upgraded = new Set<Duplex>();

  constructor(options: PoolOptions) {
    this.#clock = options.clock;
    this.#pools = new Pools(options);
  }

  /** The innermost dispatch of a service's pipeline. */
  dispatch(wire: WireSettings): Dispatch {
    return (request) =>
      new Promise((resolve) => {
        const exchange = new Exchange(request, this.#clock, resolve);
        if (request.cancellation.cancelled) return;
        let pool: ReturnType<Pools["of"]>;
        let body: WireBody;
        try {
          pool = this.#pools.of(request.upstream as Upstream, wire);
          body = wireBody(request);
        } catch (error) {
          exchange.onError(error as Error);
          return;
        }
        exchange.begin(pool);
        pool.connections.dispatch(
          {
            path: request.path,
            method: request.method as "GET",
            headers: body instanceof Pieces ? headersWith(request.headers, { "content-length": `${body.byteLength}` }) : request.headers,
            body: body as never,
            // undici retries nothing. A request that is not idempotent would wait until its connection has no other.
            idempotent: true,
          },
          exchange,
        );
      });
  }

  /** Asks the request's upstream for another protocol (`websocket`) and resolves with the connection once it has changed. */
  upgrade(request: MeshRequest, protocol: string, wire: WireSettings): Promise<Upgraded> {
    const startedAt = this.#clock.now();
    return new Promise((resolve, reject) => {
      let isSent = false;
      let abort: () => void = () => {};
      const { path, method, headers, cancellation } = request;
      const state = (status?: number) => {
        return { request, isSent, hasHead: status !== undefined, status, ms: this.#clock.now() - startedAt, index: undefined };
      };
      const fail = (cause: unknown) => {
        // The caller has aborted: undici's error for that would blame the instance.
        if (cancellation.cancelled) {
          record(state(), codeOfReason(cancellation.reason), isSent);
          reject(cancellation.reason);
          return;
        }
        reject(failureOf(state(), cause));
      };
      try {
        // Always HTTP/1.1: an upgrade changes a whole connection.
        this.#pools.of(request.upstream as Upstream, wire, "h1").connections.dispatch(
          { path, method: method as "GET", headers, upgrade: protocol, headersTimeout: upgradeTimeoutMs },
          {
            onConnect: (close) => {
              isSent = true;
              abort = close;
              cancellation.onCancel(() => close());
            },
            onUpgrade: (status, raw, socket) => {
              this.#upgraded.add(socket);
              socket.once("close", () => this.#upgraded.delete(socket));
              resolve({ status, headers: decodeHeaders((raw ?? []) as Buffer[]), socket });
            },
            onHeaders: (status) => {
              if (status < 200) return true;
              // An answer is no failure of the instance, unless it is a gateway error.
              const message = `"${request.service}" answered ${status} instead of changing to ${protocol}`;
              record(state(status), undefined, true);
              reject(new MeshError("ERR_MESH_PROTOCOL", message, { service: request.service, attempts: [...request.attempts] }));
              abort();
              return true;
            },
            onData: () => true,
            onComplete: () => {},
            onError: fail,
          },
        );
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Number of open pools. */
  get size(): number {
    return this.#pools.size;
  }

  /** Connects to an upstream without sending anything. Resolves with whether there is a connection now; never rejects. */
  connect(upstream: Upstream, wire: WireSettings): Promise<boolean> {
    return this.#pools.connect(upstream, wire);
  }

  /** Takes no more requests for an upstream that has left: those in flight end by themselves, idle connections close now. */
  release(upstream: Upstream): void {
    this.#pools.release(upstream);
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy();
    await this.#pools.destroy();
  }
}
