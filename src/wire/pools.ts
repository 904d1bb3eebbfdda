import type { Timer } from "../core/clock.ts";
import { type Protocol, protocolTo, type WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import { InstanceConnector, type InstanceConnectorOptions } from "./instance-connector.ts";
import { oneServerName } from "./undici/one-server-name.ts";
import type { DispatchOptions } from "./undici/undici.ts";
import { type PoolParts, type UpstreamPool, upstreamPool } from "./upstream-pool.ts";

/** Pools are looked at in rounds of this length. A pool without a request in a whole round is closed. */
const idleRoundMs = 60_000;

interface Entry {
  readonly protocol: Protocol;
  /** The version of the identity that the connections were made with; 0 without TLS, where it does not matter. */
  readonly identityVersion: number;
  readonly pool: UpstreamPool;
  /** For what needs another protocol than most requests: upgrades HTTP/1.1, calls of gRPC HTTP/2. `undefined` where nothing does. */
  others: Map<Protocol, UpstreamPool> | undefined;
  /** Requests of the upstream when the last round began; -1 for a pool that was made since. */
  requests: number;
}

/**
 * A pool of connections for each upstream and version of the identity: made by the first request, closed when the upstream leaves, when the
 * identity changes or when no request has used it for a while. Ten thousand known instances of which fifty are in use hold fifty pools.
 */
export class Pools {
  readonly #options: PoolParts;
  readonly #entries = new Map<Upstream, Entry>();
  /** Pools that take no more requests and wait for those in flight. */
  readonly #leaving = new Set<UpstreamPool>();
  #round: Timer | undefined = undefined;
  #isClosed = false;

  constructor(options: InstanceConnectorOptions, connector: InstanceConnector = new InstanceConnector(options)) {
    this.#options = { connector, clock: options.clock };
  }

  /** Open pools, including those that close when the requests on them have ended. */
  get size(): number {
    let size = this.#leaving.size;
    for (const { others } of this.#entries.values()) size += 1 + (others?.size ?? 0);
    return size;
  }

  /**
   * The pool of an upstream. Upgrades ask for `h1`, whatever protocol other requests have.
   * @throws once the pools have been destroyed, and for a host that the URL parser refuses.
   */
  of(upstream: Upstream, wire: WireSettings, protocol: Protocol = protocolTo(upstream.endpoint, wire.protocol)): UpstreamPool {
    const identityVersion = upstream.endpoint.secure ? this.#options.connector.identity.version : 0;
    let known = this.#entries.get(upstream);
    // Those of an identity that changes by itself end within its time of grace, one after the other.
    if (known !== undefined && known.identityVersion !== identityVersion && this.#options.connector.identity.changes === undefined) {
      this.release(upstream);
      known = undefined;
    }
    if (known?.protocol === protocol) return known.pool;
    const other = known?.others?.get(protocol);
    if (other !== undefined) return other;
    if (this.#isClosed) throw new PoolsClosed();
    const pool = upstreamPool({ upstream, wire, protocol }, this.#options);
    if (known !== undefined) {
      known.others ??= new Map();
      known.others.set(protocol, pool);
    } else if (!upstream.removed) this.#entries.set(upstream, { protocol, identityVersion, pool, others: undefined, requests: -1 });
    else {
      // A pool made for a request that was in the pipeline while the upstream went away must not stay behind.
      this.#leaving.add(pool);
      setImmediate(() => this.#leave(pool));
    }
    this.#round ??= this.#options.clock.setTimer(this.#evict, idleRoundMs, false);
    return pool;
  }

  /**
   * The pool of an upstream for calls of gRPC, which HTTP/1.1 cannot carry: HTTP/2, also where other requests to the service have HTTP/1.1. Where the
   * instance chooses the protocol, it chooses theirs, too.
   */
  forRpc(upstream: Upstream, wire: WireSettings): UpstreamPool {
    const isChosen = upstream.endpoint.secure === true && protocolTo(upstream.endpoint, wire.protocol) === "auto";
    return this.of(upstream, wire, isChosen ? "auto" : "h2");
  }

  /**
   * Connects to an upstream and sends nothing: undici makes a connection for a request, and asks before it writes it.
   * Resolves with whether there is a connection now; never rejects.
   */
  connect(upstream: Upstream, wire: WireSettings): Promise<boolean> {
    // There is a connection then, even if none is free.
    if (upstream.inFlight > 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const onConnect = () => {
        resolve(true);
        throw new Error("only the connection was wanted");
      };
      const ignore = () => true;
      const handler = { onConnect, onHeaders: ignore, onData: ignore, onComplete: ignore, onError: () => resolve(false) };
      try {
        this.of(upstream, wire).connections.dispatch({ path: "/", method: "GET", servername: oneServerName } as DispatchOptions, handler);
      } catch {
        resolve(false);
      }
    });
  }

  /** The upstreams that have a pool. */
  get upstreams(): Iterable<Upstream> {
    return this.#entries.keys();
  }

  /** Takes no more requests for an upstream: those in flight end by themselves, idle connections close now. */
  release(upstream: Upstream): void {
    const entry = this.#entries.get(upstream);
    if (entry === undefined) return;
    this.#entries.delete(upstream);
    this.#leave(entry.pool);
    for (const other of entry.others?.values() ?? []) this.#leave(other);
  }

  /** Ends every connection, also those in use. */
  async destroy(): Promise<void> {
    this.#isClosed = true;
    this.#options.clock.clearTimer(this.#round);
    const pools = [...[...this.#entries.values()].flatMap(({ pool, others }) => [pool, ...(others?.values() ?? [])]), ...this.#leaving];
    this.#entries.clear();
    this.#leaving.clear();
    await Promise.all(pools.map(({ connections }) => connections.destroy()));
  }

  readonly #evict = (): void => {
    for (const [upstream, entry] of this.#entries) {
      if (upstream.inFlight === 0 && upstream.attempts === entry.requests) this.release(upstream);
      else entry.requests = upstream.attempts;
    }
    this.#round = this.#entries.size === 0 ? undefined : this.#options.clock.setTimer(this.#evict, idleRoundMs, false);
  };

  #leave(pool: UpstreamPool): void {
    this.#leaving.add(pool);
    pool.connections
      .close()
      .catch(() => pool.connections.destroy())
      .finally(() => this.#leaving.delete(pool));
  }
}

class PoolsClosed extends Error {
  /** The code that undici has for a closed client. */
  readonly code = "UND_ERR_CLOSED";

  constructor() {
    super("the mesh has been closed");
  }
}
