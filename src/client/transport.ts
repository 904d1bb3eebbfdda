import { Pool } from "undici";
import type { RequestBody } from "../core/body.ts";
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
  #isClosed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** The innermost dispatch of every pipeline. */
  readonly dispatch: Dispatch = (request) =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(request, this.#options.clock, resolve, reject);
      if (request.cancellation.cancelled) return;
      this.#poolOf(request.upstream as Upstream).dispatch(
        {
          path: request.path,
          method: request.method as "GET",
          headers: request.headers,
          body: wireBody(request),
          // The deadline and the attempt's time limit are our own timers: undici's would be two more for nothing.
          headersTimeout: 0,
          bodyTimeout: this.#options.bodyIdleTimeoutMs === false ? 0 : this.#options.bodyIdleTimeoutMs,
        },
        exchange,
      );
    });

  /** Instances with an open pool. */
  get size(): number {
    return this.#pools.size;
  }

  /** The upstream has left: what is in flight ends by itself, idle connections close now. */
  release(upstream: Upstream): void {
    const pool = this.#pools.get(upstream);
    if (pool === undefined) return;
    this.#pools.delete(upstream);
    pool.close().catch(() => pool.destroy());
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #poolOf(upstream: Upstream): Pool {
    const known = this.#pools.get(upstream);
    if (known !== undefined) return known;
    const { connections, connectTimeoutMs, tls } = this.#options;
    const pool = new Pool(upstream.origin, {
      connections,
      pipelining: 1,
      connect: {
        timeout: connectTimeoutMs,
        ...(tls?.ca === undefined ? undefined : { ca: tls.ca as string }),
        ...(tls?.cert === undefined ? undefined : { cert: tls.cert as string }),
        ...(tls?.key === undefined ? undefined : { key: tls.key as string }),
        ...(tls?.serverName === undefined ? undefined : { servername: tls.serverName }),
      },
    });
    // A pool made for a request that was in the pipeline while the upstream or the mesh went away must not stay behind.
    if (upstream.removed || this.#isClosed) setImmediate(() => void pool.close());
    else this.#pools.set(upstream, pool);
    return pool;
  }
}

type WireBody = string | Uint8Array | Blob | AsyncIterable<Uint8Array | string> | null;

/**
 * The body as undici gets it. A stream is wrapped: undici destroys what it was given when an attempt is aborted, also one
 * that never started, and the same stream may be on its way to another instance by then.
 */
function wireBody({ body }: MeshRequest): never {
  const stream = typeof body === "function" ? body() : body;
  const wire: WireBody = stream === undefined ? null : isStream(stream) ? readOnce(stream) : stream;
  return wire as never;
}

function isStream(body: Exclude<RequestBody, undefined | (() => unknown)>): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && Symbol.asyncIterator in body && !(body instanceof Blob);
}

async function* readOnce(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  try {
    yield* stream;
  } catch (cause) {
    throw new CallerFault("the request body could not be read", { cause });
  }
}
