import type { Clock } from "../core/clock.ts";
import type { Protocol, WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import { guardingSessions, negotiating, noticingResets, upstreamConnector } from "./connector.ts";
import type { InstanceConnector } from "./instance-connector.ts";
import { tellAgeOnce } from "./undici/connection-age.ts";
import { Client, type Connector, type Dispatcher, H2CClient, Pool } from "./undici/undici.ts";

/** The parts that the pools of one mesh share. */
export interface PoolParts {
  readonly connector: InstanceConnector;
  readonly clock: Clock;
}

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
export function upstreamPool({ upstream, wire, protocol, onGoAway }: UpstreamPoolOptions, options: PoolParts): Dispatcher {
  const { endpoint } = upstream;
  const { max, maxRequests, maxAgeMs, maxIdleMs, isolation } = wire.connections;
  const origin = originOf(upstream);
  const connector = (allowH2: boolean): Connector => upstreamConnector(options.connector, upstream, wire, allowH2);
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
    keepAliveTimeout: maxIdleMs,
    // Also where the instance says that it keeps idle connections longer.
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

/** The origin that undici writes as `host` or `:authority`. The connector knows the address itself. */
function originOf({ endpoint, authority }: Upstream): string {
  const origin = `${endpoint.secure ? "https" : "http"}://${authority}`;
  if (!URL.canParse(origin)) throw new Error(`${origin} is not an address`);
  return origin;
}
