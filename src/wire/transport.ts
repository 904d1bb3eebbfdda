import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Clock, Random } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../core/dispatch.ts";
import { headersWith, type RequestHeaders } from "../core/http/request-headers.ts";
import type { TransferListener } from "../core/http/transfer-listener.ts";
import type { Upstream } from "../core/upstream.ts";
import { Exchange } from "./exchange.ts";
import { IdentityRollover } from "./identity/identity-rollover.ts";
import { IdleSockets } from "./idle-sockets.ts";
import { InstanceConnector, type InstanceConnectorOptions } from "./instance-connector.ts";
import { Pools } from "./pools.ts";
import { decodeHeaders } from "./raw-headers.ts";
import { oneServerName } from "./undici/one-server-name.ts";
import type { DispatchOptions } from "./undici/undici.ts";
import { type Upgraded, UpgradeHandler } from "./upgrade-handler.ts";
import { BlobPieces, Pieces, type WireBody, wireBody } from "./wire-body.ts";

/** A request as undici takes it; it is held while the request waits for a connection. */
class RequestOptions implements DispatchOptions {
  readonly #request: MeshRequest;
  readonly body: never;

  constructor(request: MeshRequest, body: WireBody) {
    this.#request = request;
    this.body = body as never;
  }

  get path(): string {
    return this.#request.path;
  }

  get method(): "GET" {
    return this.#request.method as "GET";
  }

  get headers(): RequestHeaders {
    const { headers } = this.#request;
    const body = this.body as WireBody;
    const isInPieces = body instanceof Pieces || body instanceof BlobPieces;
    return isInPieces ? headersWith(headers, { "content-length": `${body.byteLength}` }) : headers;
  }

  get servername(): string {
    return oneServerName;
  }

  /** undici retries nothing. A request that is not idempotent would wait until its connection has no other. */
  get idempotent(): true {
    return true;
  }
}

/** Options of {@link Transport}. */
export interface TransportOptions extends InstanceConnectorOptions {
  /** Spreads the ends of connections. @default Math.random */
  readonly random?: Random;
}

/** Sends requests to the upstream that the balancer has chosen, over its pool of connections. */
export class Transport {
  /** Opens the connections of everything, in pools and outside of them. */
  readonly connector: InstanceConnector;
  /** The idle connections of agents. */
  readonly idle: IdleSockets = new IdleSockets();
  readonly #clock: Clock;
  readonly #pools: Pools;
  /** Connections that have changed their protocol; they have left their pools. */
  readonly #upgraded = new Set<Duplex>();
  readonly #rollover: IdentityRollover | undefined;

  constructor(options: TransportOptions) {
    const { clock, random = Math.random, identity } = options;
    this.#clock = clock;
    this.connector = new InstanceConnector(options);
    this.#pools = new Pools(options, this.connector);
    const release = (upstream: Upstream): void => this.release(upstream);
    const connected = (): Upstream[] => [...this.#pools.upstreams, ...this.idle.upstreams];
    const { changes } = identity;
    this.#rollover = changes === undefined ? undefined : new IdentityRollover({ changes, connected, release, clock, random });
  }

  /** The innermost dispatch of a service's pipeline. */
  dispatch(wire: WireSettings): Dispatch {
    return (request) => {
      const answer = new Promise<MeshResponse>((resolve) => {
        const { transfer } = request;
        const exchange =
          transfer === undefined
            ? new Exchange(request, this.#clock, resolve, wire)
            : new ToldExchange(transfer, request, this.#clock, resolve, wire);
        if (request.cancellation.cancelled) return;
        let pool: ReturnType<Pools["of"]>;
        let body: WireBody;
        try {
          const upstream = request.upstream as Upstream;
          pool = request.rpc?.protocol === "grpc" ? this.#pools.forRpc(upstream, wire) : this.#pools.of(upstream, wire);
          body = wireBody(request, this.#clock);
        } catch (error) {
          exchange.onError(error as Error);
          return;
        }
        exchange.begin(pool);
        pool.connections.dispatch(new RequestOptions(request, body), exchange);
      });
      const whole = request.rpc?.whole;
      return whole === undefined ? answer : answer.then((response) => whole(response, request));
    };
  }

  /**
   * Asks the request's upstream for another protocol (`websocket`) and resolves with the connection once it has changed. Its time is bounded by the
   * request's cancellation, which it hears at any time, also while it waits for a connection.
   */
  upgrade(request: MeshRequest, protocol: string, wire: WireSettings): Promise<Upgraded> {
    return new Promise((resolve, reject) => {
      const handler = new UpgradeHandler(request, protocol, this.#clock, { resolve: (upgraded) => resolve(this.#kept(upgraded)), reject });
      if (request.cancellation.cancelled) return;
      const { path, method, headers } = request;
      try {
        // Always HTTP/1.1: an upgrade changes a whole connection.
        this.#pools
          .of(request.upstream as Upstream, wire, "h1")
          .connections.dispatch(
            { path, method: method as "GET", headers, upgrade: protocol, servername: oneServerName } as DispatchOptions,
            handler,
          );
      } catch (error) {
        handler.onError(error as Error);
      }
    });
  }

  /** Keeps a connection in the books that has left its pool. */
  #kept(upgraded: Upgraded): Upgraded {
    const { socket } = upgraded;
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    return upgraded;
  }

  /** Number of open pools. */
  get size(): number {
    return this.#pools.size;
  }

  /** Connects to an upstream without sending anything. Resolves with whether there is a connection now; never rejects. */
  connect(upstream: Upstream, wire: WireSettings): Promise<boolean> {
    return this.#pools.connect(upstream, wire);
  }

  /** Closes the idle connections to an upstream that has left the rotation, and those in use after their requests, which end by themselves. */
  release(upstream: Upstream): void {
    this.#pools.release(upstream);
    this.idle.release(upstream);
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.#rollover?.close();
    this.connector.identity.changes?.close();
    for (const socket of this.#upgraded) socket.destroy();
    this.idle.close();
    await this.#pools.destroy();
  }
}

/** An exchange whose request has a listener that is told how it goes over the wire. */
class ToldExchange extends Exchange {
  /** Read by the pools of HTTP/2. */
  readonly wantsInformation = true;
  readonly #listener: TransferListener;

  constructor(listener: TransferListener, ...rest: ConstructorParameters<typeof Exchange>) {
    super(...rest);
    this.#listener = listener;
  }

  override onBodySent(chunk: unknown): void {
    super.onBodySent(chunk);
    this.#listener.bodySent(chunk as Uint8Array);
  }

  override onRequestSent(): void {
    super.onRequestSent();
    this.#listener.requestSent();
  }

  onResponseStarted(): void {
    this.#listener.responseStarted();
  }

  override onHeaders(status: number, headers: Buffer[] | string[] | null, resume: () => void, statusText: string): boolean {
    if (status < 200) this.#listener.information(status, decodeHeaders((headers ?? []) as Buffer[]), statusText);
    return super.onHeaders(status, headers, resume, statusText);
  }
}
