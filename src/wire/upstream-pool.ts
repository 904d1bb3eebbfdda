import { outsideOfCalls } from "../core/async-context.ts";
import type { Clock } from "../core/clock.ts";
import type { Protocol, WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import type { Connections } from "./http2/connections.ts";
import { Http2Pool } from "./http2/http2-pool.ts";
import { NegotiatingPool } from "./http2/negotiating-pool.ts";
import type { InstanceConnector } from "./instance-connector.ts";
import { tellAgeOnce } from "./undici/connection-age.ts";
import { withCorrectedParser } from "./undici/corrected-parser.ts";
import { noticingResets } from "./undici/reset-notice.ts";
import { type Connector, Pool } from "./undici/undici.ts";

/** The parts that the pools of one mesh share. */
export interface PoolParts {
  readonly connector: InstanceConnector;
  readonly clock: Clock;
}

/** A request that got nothing for less than this, in milliseconds, says nothing about its connection. */
const silentMs = 50;

/** Options of {@link upstreamPool}. */
export interface UpstreamPoolOptions {
  readonly upstream: Upstream;
  readonly wire: WireSettings;
  /** The protocol of `wire`, or `h1` for upgrades. */
  readonly protocol: Protocol;
}

/** The connections to one upstream. */
export interface UpstreamPool {
  readonly connections: Connections;
  /** Number of response heads that have come over them. */
  heard: number;
  /**
   * A request got nothing for so long, and was sent when so many heads had been heard. Where none has come since, the connections of HTTP/1.1 may be
   * as dead as the one of that request: they take no more. Those of HTTP/2 judge themselves, one by one.
   */
  doubt(heardBefore: number, forMs: number): void;
}

/**
 * Makes the pool of connections to one upstream; connects to nothing yet.
 * @throws Error for a host that the URL parser refuses, though discovery's checks have not.
 */
export function upstreamPool({ upstream, wire, protocol }: UpstreamPoolOptions, options: PoolParts): UpstreamPool {
  const { endpoint } = upstream;
  const { max, maxRequests, maxAgeMs, maxIdleMs, isolation } = wire.connections;
  const { clock } = options;
  const origin = originOf(upstream);
  const connector = (allowH2: boolean): Connector => upstreamConnector(options.connector, upstream, wire, allowH2);
  let renew = () => {};
  const http1 = (connect: Connector): Connections => {
    const pool = new Pool(origin, {
      // The deadline and the attempt's time limit bound the wait for a head already.
      headersTimeout: 0,
      // An exchange bounds its body, which may be an event stream, or have no reader.
      bodyTimeout: 0,
      connections: max,
      // 0: undici closes a connection after each request.
      pipelining: isolation === "per-request" ? 0 : 1,
      keepAliveTimeout: maxIdleMs,
      // Also where the instance says that it keeps idle connections longer.
      keepAliveMaxTimeout: maxIdleMs,
      clientTtl: maxAgeMs,
      allowH2: false,
      ...(maxRequests === undefined ? undefined : { maxRequestsPerClient: maxRequests }),
      connect: withCorrectedParser(noticingResets(connect)),
    });
    renew = tellAgeOnce(pool, maxAgeMs, clock);
    return pool;
  };
  const http2 = { origin, clock, max, maxAgeMs, maxRequests: maxRequests ?? Number.POSITIVE_INFINITY };
  const connections =
    protocol === "h1" || (protocol === "auto" && !endpoint.secure)
      ? http1(connector(false))
      : protocol === "h2"
        ? new Http2Pool({ ...http2, connector: connector(endpoint.secure === true) })
        : new NegotiatingPool({ ...http2, connector: connector(true), http1 });
  return {
    connections,
    heard: 0,
    doubt(heardBefore, forMs) {
      if (this.heard === heardBefore && forMs >= silentMs) renew();
    },
  };
}

/** The function by which undici gets its connections to an upstream. `allowH2` offers HTTP/2 by ALPN. */
function upstreamConnector(instances: InstanceConnector, upstream: Upstream, wire: WireSettings, allowH2: boolean): Connector {
  const alpn = allowH2 ? ["http/1.1", "h2"] : ["http/1.1"];
  return (_target, callback) => {
    // A connection outlives the call that it is opened for: what it carries later would be seen in that call's asynchronous context. Not so that
    // of an agent, whose requests `node:http` puts into their own.
    outsideOfCalls(() => instances.open(upstream, wire, { alpn }, callback));
  };
}

/** The origin that undici writes as `host` or `:authority`. The connector knows the address itself. */
function originOf({ endpoint, authority }: Upstream): string {
  const origin = `${endpoint.secure ? "https" : "http"}://${authority}`;
  if (!URL.canParse(origin)) throw new Error(`${origin} is not an address`);
  return origin;
}
