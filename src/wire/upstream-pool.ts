import type { Clock } from "../core/clock.ts";
import type { Protocol, WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import type { ClientIdentity } from "./client-identity.ts";
import { guardingSessions, negotiating, noticingResets, upstreamConnector } from "./connector.ts";
import { tellAgeOnce } from "./undici/connection-age.ts";
import { Client, type Connector, type Dispatcher, H2CClient, Pool } from "./undici/undici.ts";

/** The parts that the pools of one mesh share. */
export interface PoolOptions {
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly identity: ClientIdentity;
  readonly clock: Clock;
}

/**
 * An idle connection is closed after so long, however much longer its server would keep it: after each request that is given up undici makes
 * a connection in advance, which may never be used.
 */
const maxIdleMs = 60_000;

/** Within a zone nothing on the way takes longer than a lost SYN and its repetition. */
const connectWithinZoneMs = 300;
const connectBeyondZoneMs = 1_000;

/** Requests at a time on one HTTP/2 connection, as most servers allow. */
const maxConcurrentStreams = 100;

/** Options of {@link upstreamPool}. */
export interface UpstreamPoolOptions {
  readonly upstream: Upstream;
  readonly wire: WireSettings;
  /** The protocol of `wire`, or `h1` for upgrades. */
  readonly protocol: Protocol;
  /** The instance takes no new streams on an HTTP/2 connection of the pool. */
  readonly onGoAway: () => void;
}

/**
 * Makes the pool of connections to one upstream; connects to nothing yet.
 * @throws Error for a host that the URL parser refuses, though discovery's checks have not.
 */
export function upstreamPool({ upstream, wire, protocol, onGoAway }: UpstreamPoolOptions, options: PoolOptions): Dispatcher {
  const { origin, endpoint } = upstream;
  const { max, maxRequests, maxAgeMs, isolation } = wire.connections;
  if (!URL.canParse(origin)) throw new Error(`${origin} is not an address`);
  const connector = (allowH2: boolean): Connector =>
    upstreamConnector({
      upstream,
      identity: options.identity,
      timeoutMs: () => connectTimeoutMs(upstream, wire, options),
      clock: options.clock,
      allowH2,
    });
  const timeouts = {
    // The deadline and the attempt's time limit bound the wait for a head already.
    headersTimeout: 0,
    // An exchange bounds its body, which may be an event stream, or have no reader.
    bodyTimeout: 0,
  };
  if (protocol === "h2" && !endpoint.secure) {
    const connect: Connector = guardingSessions(connector(false), () => client, onGoAway, "h2");
    const client: H2CClient = new H2CClient(origin, { ...timeouts, connect });
    return client;
  }
  const pool = new Pool(origin, {
    ...timeouts,
    connections: max,
    // 0: undici closes a connection after each request.
    pipelining: isolation === "per-request" ? 0 : 1,
    keepAliveMaxTimeout: maxIdleMs,
    clientTtl: maxAgeMs,
    allowH2: protocol !== "h1",
    ...(maxRequests === undefined ? undefined : { maxRequestsPerClient: maxRequests }),
    connect: noticingResets(connector(false)),
    ...(protocol === "h1"
      ? undefined
      : { factory: (target: URL, given: ClientOptions) => negotiatingClient(target, given, connector(true), protocol, onGoAway) }),
  });
  tellAgeOnce(pool, maxAgeMs, options.clock);
  return pool;
}

type ClientOptions = NonNullable<ConstructorParameters<typeof Client>[1]>;

/**
 * A connection that carries as many requests at a time as the negotiated protocol (ALPN) allows: one for HTTP/1.1, where a slow answer
 * would hold up those behind it.
 */
function negotiatingClient(
  origin: URL,
  options: ClientOptions,
  connector: Connector,
  protocol: "h2" | "auto",
  onGoAway: () => void,
): Client {
  const { pipelining = 1 } = options;
  const guarded = guardingSessions(noticingResets(connector), () => client, onGoAway);
  const connect = negotiating(guarded, protocol === "h2", (isH2) => {
    if (protocol === "auto") client.pipelining = isH2 ? maxConcurrentStreams : pipelining;
  });
  const client = new Client(origin, {
    ...options,
    pipelining: protocol === "h2" ? maxConcurrentStreams : pipelining,
    connect,
  });
  return client;
}

/** Asked at each connection attempt, since discovery may change the zone of an instance. */
function connectTimeoutMs({ endpoint }: Upstream, { connections }: WireSettings, { zone }: PoolOptions): number {
  return connections.connectTimeoutMs ?? (zone !== undefined && endpoint.zone === zone ? connectWithinZoneMs : connectBeyondZoneMs);
}
