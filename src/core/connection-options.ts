import { optionTable, type Settled } from "./settings/option-table.ts";
import { choice, group, integer, number, orFalse, timerMs } from "./settings/rules.ts";

/** The protocol of the connections to an instance. */
export type Protocol = "h1" | "h2" | "auto";

/** Whether requests share connections over HTTP/1.1, or each has one of its own. */
export type Isolation = "shared" | "per-request";

/** The connections to each instance of a service; `connections` in the options of the mesh. */
export interface ConnectionOptions {
  /** Connections to one instance at most; further requests wait for one. One of HTTP/2 carries up to 100 requests at a time. @default 256 */
  readonly max?: number;
  /** Number of requests after which a connection is closed. @default no limit */
  readonly maxRequests?: number;
  /**
   * Age from which on a connection takes no new request, in milliseconds, so that it follows new certificates and load balancers.
   * @default 300000
   */
  readonly maxAgeMs?: number;
  /**
   * Limit of a connection attempt, TLS handshake included, in milliseconds.
   * @default 300 to instances of the mesh's own `zone`, 1000 to all others
   */
  readonly connectTimeoutMs?: number;
  /**
   * `per-request`: over HTTP/1.1 each request has a connection of its own, so that an instance which is not trusted cannot answer one
   * caller with what is meant for another. Over HTTP/2 requests have streams of their own in any case. @default "shared"
   */
  readonly isolation?: Isolation;
}

/** The rules of {@link ConnectionOptions}. */
export const connectionOptions = optionTable<ConnectionOptions>()({
  max: integer({ default: 256, min: 1 }),
  maxRequests: integer({ min: 1, defaultText: "no limit" }),
  maxAgeMs: number({ default: 300_000, min: 1, unit: "ms" }),
  connectTimeoutMs: timerMs({ min: 1, defaultText: "300 to instances of the mesh's own `zone`, 1000 to all others" }),
  isolation: choice(["shared", "per-request"], "shared"),
});

/** The protocol, connections and limits with which the instances of a service are reached. */
export interface WireOptions {
  /**
   * `h1`: HTTP/1.1. `h2`: HTTP/2, without TLS by prior knowledge (h2c). `auto`: the one that an instance which speaks TLS chooses (ALPN),
   * HTTP/1.1 to the others. @default "h1"
   */
  readonly protocol?: Protocol;
  /** The connections to each instance: their number, age and isolation. */
  readonly connections?: ConnectionOptions;
  /**
   * Time without a byte, while its reader waits, after which a response body fails with `ERR_MESH_TIMEOUT`, in milliseconds; `false` = no limit.
   * Event streams that were asked for have none. @default 30000
   */
  readonly bodyIdleTimeoutMs?: number | false;
  /**
   * The largest body that is collected whole, by `text()`, `json()`, `bytes()` and the like, in decoded bytes; a larger one fails with
   * `ERR_MESH_BODY`. Streams are not bounded. `false` = no limit. @default 67108864
   */
  readonly maxCollectedBytes?: number | false;
}

/** The rules of {@link WireOptions}. */
export const wireOptions = optionTable<WireOptions>()({
  protocol: choice(["h1", "h2", "auto"], "h1"),
  connections: group(connectionOptions),
  bodyIdleTimeoutMs: orFalse(timerMs({ default: 30_000, min: 1 })),
  maxCollectedBytes: orFalse(number({ default: 64 * 2 ** 20, min: 1, unit: "bytes" })),
});

/** Options of the wire with the defaults filled in, the group of connections included. */
export interface WireSettings extends Omit<Settled<typeof wireOptions.rules>, "connections"> {
  readonly connections: Settled<typeof connectionOptions.rules>;
}

/** The settings of one service's connections. */
export function settleWire(given: WireOptions): WireSettings {
  const settings = wireOptions.settle(given);
  return { ...settings, connections: connectionOptions.settle(settings.connections) };
}
