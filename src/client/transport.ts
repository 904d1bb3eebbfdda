import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { isUint8Array } from "node:util/types";
import { Pool } from "undici";
import type { Clock } from "../core/clock.ts";
import type { Dispatch, MeshRequest } from "../core/dispatch.ts";
import type { Upstream } from "../core/upstream.ts";
import { Exchange } from "./exchange.ts";
import { CallerFault } from "./failure.ts";

/** TLS towards the instances that speak it. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted instead of the built-in ones, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** This client's certificate chain, PEM. */
  readonly cert?: string | Uint8Array;
  /** The key of {@link TlsOptions.cert}, PEM. */
  readonly key?: string | Uint8Array;
  /** The name that the instances' certificates must carry. Default: the endpoint's host. */
  readonly serverName?: string;
}

/** Options of the connections to instances. */
export interface TransportOptions {
  /** Connections to one instance; further requests wait for a free one. */
  readonly connections: number;
  /** Limit of a connection attempt in milliseconds (undici counts it in steps of half a second). */
  readonly connectTimeoutMs: number;
  /** No byte of a response body for so long ends it, in milliseconds; `false` = no limit. */
  readonly bodyIdleTimeoutMs: number | false;
  readonly tls?: TlsOptions | undefined;
  readonly clock: Clock;
}

/**
 * Sends requests to the upstream that the balancer has chosen: a pool of undici connections for each, made at the first
 * request to it. The only place that knows undici.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #pools = new Map<Upstream, Pool>();
  /** Pools that wait for what is in flight on them. */
  readonly #leaving = new Set<Pool>();
  readonly #secureContext: SecureContext | undefined;
  #isClosed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#secureContext = options.tls && secureContextOf(options.tls);
  }

  /** The innermost dispatch of every pipeline. */
  readonly dispatch: Dispatch = (request) =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(request, this.#options.clock, resolve, reject);
      if (request.cancellation.cancelled) return;
      let pool: Pool;
      let body: WireBody;
      try {
        pool = this.#poolOf(request.upstream as Upstream);
        body = wireBody(request);
      } catch (error) {
        exchange.onError(error as Error);
        return;
      }
      pool.dispatch(
        {
          path: request.path,
          method: request.method as "GET",
          headers: request.headers,
          body: body as never,
          // The deadline and the attempt's time limit are our own timers: undici's would be two more for nothing.
          headersTimeout: 0,
          bodyTimeout: this.#options.bodyIdleTimeoutMs === false ? 0 : this.#options.bodyIdleTimeoutMs,
        },
        exchange,
      );
    });

  /** Open pools, those included that end with what is in flight on them. */
  get size(): number {
    return this.#pools.size + this.#leaving.size;
  }

  /** The upstream has left: what is in flight ends by itself, idle connections close now. */
  release(upstream: Upstream): void {
    const pool = this.#pools.get(upstream);
    if (pool === undefined) return;
    this.#pools.delete(upstream);
    this.#leave(pool);
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    const pools = [...this.#pools.values(), ...this.#leaving];
    this.#pools.clear();
    this.#leaving.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #leave(pool: Pool): void {
    this.#leaving.add(pool);
    pool
      .close()
      .catch(() => pool.destroy())
      .finally(() => this.#leaving.delete(pool));
  }

  #poolOf(upstream: Upstream): Pool {
    const known = this.#pools.get(upstream);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new MeshClosed();
    const { connections, connectTimeoutMs, tls } = this.#options;
    // Throws for a host that discovery's checks let through and a URL does not: no connection to it can be made.
    const pool = new Pool(upstream.origin, {
      connections,
      pipelining: 1,
      connect: {
        timeout: connectTimeoutMs,
        ...(this.#secureContext === undefined ? undefined : { secureContext: this.#secureContext }),
        ...(tls?.serverName === undefined ? undefined : { servername: tls.serverName }),
      },
    });
    // A pool made for a request that was in the pipeline while the upstream went away must not stay behind.
    if (upstream.removed) setImmediate(() => this.#leave(pool));
    else this.#pools.set(upstream, pool);
    return pool;
  }
}

type WireBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array | string> | null;

/**
 * The body as undici gets it. A stream is wrapped: undici destroys what it was given when an attempt is aborted, also one
 * that never started, and the same stream may be on its way to another instance by then.
 */
function wireBody({ body }: MeshRequest): WireBody {
  const stream = typeof body === "function" ? streamOf(body) : body;
  if (stream === undefined) return null;
  return isStream(stream) ? readOnce(stream) : stream;
}

function streamOf(body: () => AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array | string> {
  try {
    const stream = body();
    if (isStream(stream)) return stream;
  } catch (cause) {
    throw new CallerFault("the function that makes the request body threw", { cause });
  }
  throw new CallerFault("the function that makes the request body did not return an async iterable");
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body && !(body instanceof Blob);
}

async function* readOnce(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  try {
    for await (const chunk of stream) {
      // undici takes a wrong chunk for a failed connection, and the instance would be blamed.
      if (typeof chunk !== "string" && !isUint8Array(chunk)) throw new TypeError("a chunk is neither a string nor a Uint8Array");
      yield chunk;
    }
  } catch (cause) {
    throw new CallerFault("the request body could not be read", { cause });
  }
}

/** PEM that is wrong is found when the mesh is made, not at the first connection. */
function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  try {
    // Node takes a `ca` without one certificate for "trust nobody".
    for (const authority of ca === undefined ? [] : [ca].flat()) new X509Certificate(authority);
    return createSecureContext({ ca: ca as string | undefined, cert: cert as string | undefined, key: key as string | undefined });
  } catch (cause) {
    throw new TypeError(`tls: ca, cert and key must be PEM that belongs together: ${(cause as Error).message}`, { cause });
  }
}

class MeshClosed extends Error {
  readonly code = "UND_ERR_CLOSED";

  constructor() {
    super("the mesh has been closed");
  }
}
