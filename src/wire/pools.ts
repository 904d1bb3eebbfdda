import type { SecureContext } from "node:tls";
import type { Clock, Timer } from "../core/clock.ts";
import type { Isolation, Protocol } from "../core/protocol.ts";
import type { Upstream } from "../core/upstream.ts";
import { connectTimeout } from "./connect-timeout.ts";
import { guardedLookup } from "./guarded-lookup.ts";
import { tellAgeOnce } from "./undici/connection-age.ts";
import { guardSession } from "./undici/http2-session.ts";
import { noticeResets } from "./undici/reset-notice.ts";
import { buildConnector, Client, type Connector, type Dispatcher, H2CClient, Pool } from "./undici/undici.ts";

/** Options of the connections to instances. */
export interface PoolOptions {
  /** Connections to one instance; further requests wait for a free one. */
  readonly connections: number;
  /** A connection is closed after so many requests. */
  readonly maxRequestsPerConnection?: number | undefined;
  /** A connection takes no new request after so long, in milliseconds. @default 300000 */
  readonly maxConnectionAgeMs?: number | undefined;
  /** Limit of a connection attempt, in milliseconds. @default 300 to an instance of the same zone, 1000 to any other */
  readonly connectTimeoutMs?: number | undefined;
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly secureContext?: SecureContext | undefined;
  readonly serverName?: string | undefined;
  readonly clock: Clock;
}

/**
 * A connection that has nothing to do is closed after so long, however much longer its server would keep it: after each request that is given
 * up undici makes a connection in advance, which may never be used.
 */
const maxIdleMs = 60_000;
/** A pool that had no request for a whole round of this length is closed. */
const idleRoundMs = 60_000;

/** Within a zone there is nothing on the way that could take longer than a lost SYN and its repetition would. */
const connectWithinZoneMs = 300;
const connectBeyondZoneMs = 1_000;

/** Requests at a time on one HTTP/2 connection, as most servers allow. */
const maxConcurrentStreams = 100;

interface Entry {
  readonly protocol: Protocol;
  readonly pool: Dispatcher;
  /** For an upgrade where the others speak HTTP/2. */
  other: Dispatcher | undefined;
  /** Requests of the upstream when the last round began; none has begun yet for a new pool. */
  requests: number;
}

/**
 * undici's pool of connections for each upstream that is used: made at its first request, closed when the upstream leaves or
 * nobody uses it any more. Ten thousand known instances of which fifty are in use hold fifty pools.
 */
export class Pools {
  readonly #options: PoolOptions;
  readonly #entries = new Map<Upstream, Entry>();
  /** Pools that wait for what is in flight on them. */
  readonly #leaving = new Set<Dispatcher>();
  #round: Timer | undefined = undefined;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Open pools, those included that end with what is in flight on them. */
  get size(): number {
    let size = this.#leaving.size;
    for (const { other } of this.#entries.values()) size += other === undefined ? 1 : 2;
    return size;
  }

  /** The pool of an upstream. Throws once the pools have been destroyed, and for an address that is none. */
  of(upstream: Upstream, protocol: Protocol, isolation: Isolation = "shared"): Dispatcher {
    const known = this.#entries.get(upstream);
    if (known?.protocol === protocol) return known.pool;
    if (known?.other !== undefined) return known.other;
    if (this.#isClosed) throw new PoolsClosed();
    const pool: Dispatcher = this.#open(upstream, protocol, isolation, () => this.#retire(upstream, pool));
    if (known !== undefined) known.other = pool;
    else if (!upstream.removed) this.#entries.set(upstream, { protocol, pool, other: undefined, requests: -1 });
    else {
      // A pool made for a request that was in the pipeline while the upstream went away must not stay behind.
      this.#leaving.add(pool);
      setImmediate(() => this.#leave(pool));
    }
    this.#round ??= this.#options.clock.setTimer(this.#evict, idleRoundMs, false);
    return pool;
  }

  /**
   * Connects to an upstream and sends nothing: undici makes a connection for a request, and asks before it writes it.
   * Resolves with whether there is a connection now; never rejects.
   */
  connect(upstream: Upstream, protocol: Protocol): Promise<boolean> {
    // It has one, and maybe none that is free.
    if (upstream.inFlight > 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const onConnect = () => {
        resolve(true);
        throw new Error("only the connection was wanted");
      };
      const ignore = () => true;
      const handler = { onConnect, onHeaders: ignore, onData: ignore, onComplete: ignore, onError: () => resolve(false) };
      try {
        this.of(upstream, protocol).dispatch({ path: "/", method: "GET" }, handler);
      } catch {
        resolve(false);
      }
    });
  }

  /** The upstream has left: what is in flight ends by itself, idle connections close now. */
  release(upstream: Upstream): void {
    const entry = this.#entries.get(upstream);
    if (entry === undefined) return;
    this.#entries.delete(upstream);
    this.#leave(entry.pool);
    if (entry.other !== undefined) this.#leave(entry.other);
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    this.#options.clock.clearTimer(this.#round);
    const pools = [
      ...[...this.#entries.values()].flatMap(({ pool, other }) => (other === undefined ? [pool] : [pool, other])),
      ...this.#leaving,
    ];
    this.#entries.clear();
    this.#leaving.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  readonly #evict = (): void => {
    for (const [upstream, entry] of this.#entries) {
      if (upstream.inFlight === 0 && upstream.attempts === entry.requests) this.release(upstream);
      else entry.requests = upstream.attempts;
    }
    this.#round = this.#entries.size === 0 ? undefined : this.#options.clock.setTimer(this.#evict, idleRoundMs, false);
  };

  /** A connection of the pool takes no more requests: the next one makes a new pool, and this one ends what it has. */
  #retire(upstream: Upstream, pool: Dispatcher): void {
    const entry = this.#entries.get(upstream);
    if (entry?.pool === pool || entry?.other === pool) this.release(upstream);
  }

  #leave(pool: Dispatcher): void {
    this.#leaving.add(pool);
    pool
      .close()
      .catch(() => pool.destroy())
      .finally(() => this.#leaving.delete(pool));
  }

  /** Asked at each attempt: the zone of an instance may be corrected while it is there. */
  #connectTimeoutMs({ endpoint }: Upstream): number {
    const { connectTimeoutMs, zone } = this.#options;
    return connectTimeoutMs ?? (zone !== undefined && endpoint.zone === zone ? connectWithinZoneMs : connectBeyondZoneMs);
  }

  #open(upstream: Upstream, protocol: Protocol, isolation: Isolation, onGoAway: () => void): Dispatcher {
    const { origin, endpoint } = upstream;
    const { connections, maxConnectionAgeMs = 300_000, maxRequestsPerConnection, secureContext, serverName, clock } = this.#options;
    const timed = (connector: Connector) => connectTimeout(connector, () => this.#connectTimeoutMs(upstream), clock);
    // A host that discovery's checks let through and a URL does not: no connection to it can be made.
    if (!URL.canParse(origin)) throw new Error(`${origin} is not an address`);
    const connect = {
      // A timer of ours: undici counts in steps of half a second.
      timeout: 0,
      lookup: guardedLookup,
      ...(secureContext === undefined ? undefined : { secureContext }),
      ...(serverName === undefined ? undefined : { servername: serverName }),
      ...(endpoint.socketPath === undefined ? undefined : { socketPath: endpoint.socketPath }),
    };
    if (protocol === "h2" && !endpoint.secure) {
      const client: H2CClient = new H2CClient(origin, { connect: guarded(() => client, timed(buildConnector(connect)), onGoAway, "h2") });
      return client;
    }
    const pool = new Pool(origin, {
      connections,
      // 0: undici closes a connection after each request.
      pipelining: isolation === "per-request" ? 0 : 1,
      keepAliveMaxTimeout: maxIdleMs,
      clientTtl: maxConnectionAgeMs,
      allowH2: protocol !== "h1",
      ...(maxRequestsPerConnection === undefined ? undefined : { maxRequestsPerClient: maxRequestsPerConnection }),
      connect: noticing(timed(buildConnector({ ...connect, allowH2: false }))),
      ...(protocol === "h1"
        ? undefined
        : {
            factory: (target: URL, options: object) =>
              negotiating(target, options, timed(buildConnector({ ...connect, allowH2: true })), protocol, onGoAway),
          }),
    });
    tellAgeOnce(pool, maxConnectionAgeMs, clock);
    return pool;
  }
}

/**
 * A connection that carries as many requests at a time as what was negotiated allows (ALPN): one for HTTP/1.1, where a slow answer
 * would hold up those behind it.
 */
function negotiating(
  origin: URL,
  options: ConstructorParameters<typeof Client>[1],
  connect: Connector,
  protocol: Protocol,
  onGoAway: () => void,
): Client {
  const connector = guarded(() => client, noticing(connect), onGoAway);
  const { pipelining = 1 } = options ?? {};
  const client: Client = new Client(origin, {
    ...options,
    pipelining: protocol === "h2" ? maxConcurrentStreams : pipelining,
    connect: (target, callback) =>
      connector(target, (...[error, socket]) => {
        if (error !== null) return callback(error, null);
        if ("alpnProtocol" in socket && protocol === "auto")
          client.pipelining = socket.alpnProtocol === "h2" ? maxConcurrentStreams : pipelining;
        if ("alpnProtocol" in socket && protocol === "h2" && socket.alpnProtocol !== "h2") {
          socket.destroy();
          return callback(new NoHttp2(origin), null);
        }
        callback(null, socket);
      }),
  });
  return client;
}

/** A connector whose connections are watched for resets. */
function noticing(connector: Connector): Connector {
  return (target, callback) =>
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      noticeResets(socket);
      callback(null, socket);
    });
}

/** A connector whose HTTP/2 connections are guarded from before their first request. `alpn` is what undici is to speak without TLS. */
function guarded(clientOf: () => Dispatcher, connector: Connector, onGoAway: () => void, alpn?: "h2"): Connector {
  return (target, callback) => {
    connector(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if (alpn !== undefined) Object.assign(socket, { alpnProtocol: alpn });
      // undici makes the session when it is given the socket, says so, and only then sends.
      const client = clientOf();
      const onConnect = () => guardSession(socket, { onGoAway });
      client.once("connect", onConnect);
      callback(null, socket);
      client.off("connect", onConnect);
    });
  };
}

class NoHttp2 extends Error {
  readonly code = "ERR_TLS_NO_HTTP2";

  constructor({ host }: URL) {
    super(`${host} does not speak HTTP/2 (ALPN)`);
  }
}

class PoolsClosed extends Error {
  readonly code = "UND_ERR_CLOSED";

  constructor() {
    super("the mesh has been closed");
  }
}
