import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { type Connector, type DispatchHandler, type DispatchOptions, UndiciRequest } from "../undici/undici.ts";
import type { Connections, QueuedHandler } from "./connections.ts";
import { Http2Connection, maxStreams } from "./http2-connection.ts";

/** Options of {@link Http2Pool}. */
export interface Http2PoolOptions {
  readonly origin: string;
  /** Opens sockets. With TLS it offers HTTP/2 by ALPN. */
  readonly connector: Connector;
  readonly clock: Clock;
  /** Connections at a time at most. Those that take no more requests, or are doubted, do not count. */
  readonly max: number;
  readonly maxAgeMs: number;
  /** Requests of one connection at most. */
  readonly maxRequests: number;
  /** Takes a connection on which the instance has chosen HTTP/1.1, and what waits. Without it such a connection is an error. */
  readonly onHttp1?: (socket: Socket, waiting: readonly Waiting[]) => void;
}

/** A request that waits for a connection. */
export interface Waiting {
  readonly options: DispatchOptions;
  readonly handler: DispatchHandler;
}

/**
 * The HTTP/2 connections to one instance. One carries all requests until it is full; while one is doubted, a new one is made for what comes
 * next. A request waits here, not in Node, for as long as the instance takes no more streams: what is given up meanwhile was never sent.
 */
export class Http2Pool implements Connections {
  readonly #options: Http2PoolOptions;
  readonly #origin: URL;
  readonly #connections = new Set<Http2Connection>();
  readonly #waiting = new Set<Waiting>();
  #connecting = 0;
  #isClosed = false;
  #isDestroyed = false;
  #onDone: (() => void)[] = [];

  constructor(options: Http2PoolOptions) {
    this.#options = options;
    this.#origin = new URL(options.origin);
  }

  dispatch(options: DispatchOptions, handler: DispatchHandler): void {
    if (this.#isClosed) {
      (handler as { onError(error: Error): void }).onError(this.#isDestroyed ? new Destroyed() : new Closed());
      return;
    }
    const waiting = { options, handler };
    const connection = this.#waiting.size === 0 ? this.#free() : undefined;
    if (connection !== undefined) {
      this.#start(connection, waiting);
      return;
    }
    this.#waiting.add(waiting);
    (handler as QueuedHandler).onQueued?.(() => {
      this.#waiting.delete(waiting);
      this.#settle();
    });
    this.#settle();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return new Promise((resolve) => {
      this.#onDone.push(resolve);
      this.#settle();
    });
  }

  destroy(): Promise<void> {
    this.#isClosed = true;
    this.#isDestroyed = true;
    this.#failWaiting(new Destroyed());
    for (const connection of this.#connections) connection.destroy(new Destroyed());
    return this.close();
  }

  /** Takes no more requests on the connections there are; they close when those under way have ended. */
  retireAll(): void {
    for (const connection of [...this.#connections]) connection.retire();
  }

  /** The connection for the next request. */
  #free(): Http2Connection | undefined {
    for (const connection of this.#connections) {
      if (connection.room > 0) return connection;
    }
    return undefined;
  }

  #start(connection: Http2Connection, { options, handler }: Waiting): void {
    let request: UndiciRequest;
    try {
      request = new UndiciRequest(this.#origin.origin, options, handler);
    } catch (error) {
      (handler as { onError(error: Error): void }).onError(error as Error);
      return;
    }
    connection.start(request, (handler as QueuedHandler).wantsInformation);
    connection.hold(true);
  }

  /** Sends what waits, in its order, as far as there is room, connects where more is needed, and ends what has come to its end. */
  #settle(): void {
    for (const waiting of this.#waiting) {
      const connection = this.#free();
      if (connection === undefined) break;
      this.#waiting.delete(waiting);
      this.#start(connection, waiting);
    }
    const [first] = this.#waiting;
    if (first !== undefined && this.#needsConnection()) this.#connect();
    for (const connection of this.#connections) {
      if (connection.isLost) this.#connections.delete(connection);
      else connection.hold(connection.open > 0 || this.#waiting.size > 0);
    }
    if (!this.#isClosed || this.#waiting.size > 0 || this.#connecting > 0) return;
    for (const connection of this.#connections) connection.retire();
    if (this.#connections.size > 0) return;
    for (const done of this.#onDone.splice(0)) done();
  }

  /** A peer that takes few streams at a time is not asked on more connections: a connection counts as full with a hundred. */
  #needsConnection(): boolean {
    let usable = 0;
    let open = 0;
    for (const connection of this.#connections) {
      if (connection.isRetired || connection.isDoubted) continue;
      usable++;
      open += connection.open;
    }
    if (usable + this.#connecting >= this.#options.max) return false;
    if (usable === 0) return this.#connecting === 0;
    return open + this.#waiting.size > maxStreams * (usable + this.#connecting);
  }

  #connect(): void {
    this.#connecting++;
    const { hostname, host, protocol, port } = this.#origin;
    const target = {
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      host,
      protocol,
      port,
    };
    this.#options.connector(target, (...[error, socket]) => {
      this.#connecting--;
      if (error !== null) this.#failed(error);
      else this.#connected(socket);
      this.#settle();
    });
  }

  #connected(socket: Socket): void {
    const { onHttp1, clock, maxAgeMs, maxRequests } = this.#options;
    if (this.#isDestroyed) {
      socket.destroy();
      return;
    }
    if ((socket as { alpnProtocol?: string | false }).alpnProtocol !== "h2" && "alpnProtocol" in socket) {
      const waiting = [...this.#waiting];
      if (onHttp1 === undefined) {
        socket.destroy();
        this.#failed(new NoHttp2(this.#origin.host));
        return;
      }
      this.#waiting.clear();
      onHttp1(socket, waiting);
      return;
    }
    this.#connections.add(
      new Http2Connection(socket, {
        origin: this.#origin,
        clock,
        maxAgeMs,
        maxRequests,
        onChange: () => this.#settle(),
      }),
    );
  }

  /** No connection could be made: what waits fails, unless it waits for a stream of one that works. */
  #failed(error: Error): void {
    for (const connection of this.#connections) if (!connection.isRetired && !connection.isDoubted) return;
    if (this.#connecting === 0) this.#failWaiting(error);
  }

  #failWaiting(error: Error): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { handler } of waiting) (handler as { onError(error: Error): void }).onError(error);
  }
}

class NoHttp2 extends Error {
  readonly code = "ERR_TLS_NO_HTTP2";

  constructor(host: string) {
    super(`${host} does not speak HTTP/2 (ALPN)`);
  }
}

class Closed extends Error {
  /** The code that undici uses. */
  readonly code: string = "UND_ERR_CLOSED";

  constructor(message = "the connections have been closed") {
    super(message);
  }
}

class Destroyed extends Closed {
  /** The code that undici uses. */
  override readonly code = "UND_ERR_DESTROYED";

  constructor() {
    super("the connections have been destroyed");
  }
}
