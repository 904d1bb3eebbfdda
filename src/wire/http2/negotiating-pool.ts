import type { Socket } from "node:net";
import type { Connector, DispatchHandler, DispatchOptions } from "../undici/undici.ts";
import type { Connections } from "./connections.ts";
import { Http2Pool, type Http2PoolOptions, type Waiting } from "./http2-pool.ts";

/** Options of {@link NegotiatingPool}. */
export interface NegotiatingPoolOptions extends Http2PoolOptions {
  /** Makes the pool for an instance that speaks HTTP/1.1, whose connections come from `connector`. */
  readonly http1: (connector: Connector) => Connections;
}

/**
 * Connections to an instance that chooses its protocol (ALPN). What comes before the choice is known waits in the pool of HTTP/2; when it is
 * HTTP/1.1, that goes over to a pool of undici, with the connection on which it was made. Each further connection may choose anew.
 */
export class NegotiatingPool implements Connections {
  readonly #http2: Http2Pool;
  readonly #options: NegotiatingPoolOptions;
  #http1: Connections | undefined = undefined;
  #isHttp1 = false;
  /** Connections for the pool of HTTP/1.1 that have been made already. */
  readonly #sockets: Socket[] = [];

  constructor(options: NegotiatingPoolOptions) {
    this.#options = options;
    this.#http2 = new Http2Pool({ ...options, onHttp1: (socket, waiting) => this.#changeToHttp1(socket, waiting) });
  }

  dispatch(options: DispatchOptions, handler: DispatchHandler): unknown {
    return (this.#isHttp1 ? (this.#http1 as Connections) : this.#http2).dispatch(options, handler);
  }

  async close(): Promise<void> {
    await this.#http2.close();
    await this.#http1?.close();
    this.#dropSockets();
  }

  async destroy(): Promise<void> {
    await Promise.all([this.#http2.destroy(), this.#http1?.destroy()]);
    this.#dropSockets();
  }

  #changeToHttp1(socket: Socket, waiting: readonly Waiting[]): void {
    this.#isHttp1 = true;
    this.#http1 ??= this.#options.http1(this.#connect);
    this.#http2.retireAll();
    // The pool of HTTP/1.1 asks for its first connection at once, for what waits.
    if (waiting.length > 0) this.#sockets.push(socket);
    else socket.destroy();
    for (const { options, handler } of waiting) this.#http1.dispatch(options, handler);
  }

  #dropSockets(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  readonly #connect: Connector = (target, callback) => {
    const made = this.#sockets.pop();
    if (made !== undefined) {
      // undici expects no answer before it has asked.
      queueMicrotask(() => callback(null, made));
      return;
    }
    this.#options.connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if ((socket as { alpnProtocol?: unknown }).alpnProtocol !== "h2") return callback(null, socket);
      // The instance has learnt HTTP/2 since. What was to be sent here is not sent, and what comes goes over HTTP/2.
      this.#isHttp1 = false;
      socket.destroy();
      callback(new ProtocolChanged(), null);
    });
  };
}

class ProtocolChanged extends Error {
  readonly code = "ERR_ALPN_CHANGED";

  constructor() {
    super("the instance speaks HTTP/2 now (ALPN)");
  }
}
