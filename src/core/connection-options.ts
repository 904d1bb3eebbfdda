import type { Endpoint } from "./endpoint.ts";
import { isNetwork } from "./peers/address-list.ts";
import { type RefusableAddresses, refusableAddresses } from "./peers/address-policy.ts";
import { parseSpiffeId } from "./peers/spiffe-id.ts";
import { refuseOption } from "./settings/checks.ts";
import { optionTable, type Settled } from "./settings/option-table.ts";
import { choice, custom, group, integer, number, optionsOver, orFalse, protecting, timerMs } from "./settings/rules.ts";

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
   * Time after which a connection that no request uses is closed, in milliseconds; sooner where the instance says so (`Keep-Alive: timeout`).
   * @default 4000
   */
  readonly maxIdleMs?: number;
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
  /**
   * Kinds of addresses that are not connected to, beside those that no instance can have: `loopback` is this machine, `private` are the networks
   * of RFC 1918, RFC 4193 and RFC 6598. @default []
   */
  readonly refusedAddresses?: readonly RefusableAddresses[];
  /**
   * Networks and addresses that all instances are in, as `10.0.0.0/8`: no other address is connected to, whatever discovery or a resolver says. Unix sockets
   * have none. @default any address that an instance can have
   */
  readonly allowCidrs?: readonly string[];
  /** Ports that are not connected to, whatever discovery says: those of data stores, for one. @default [] */
  readonly denyPorts?: readonly number[];
}

/** The rules of {@link ConnectionOptions}. */
export const connectionOptions = optionTable<ConnectionOptions>()({
  max: integer({ default: 256, min: 1 }),
  maxRequests: integer({ min: 1, defaultText: "no limit" }),
  maxAgeMs: number({ default: 300_000, min: 1, unit: "ms" }),
  connectTimeoutMs: timerMs({ min: 1, defaultText: "300 to instances of the mesh's own `zone`, 1000 to all others" }),
  maxIdleMs: timerMs({ default: 4_000, min: 1 }),
  isolation: choice(["shared", "per-request"], "shared"),
  refusedAddresses: custom<readonly RefusableAddresses[]>({
    type: '("loopback" | "private")[]',
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => refusableAddresses.includes(each))))
        refuseOption(option, value, 'an array of "loopback" and "private"');
    },
  }),
  allowCidrs: custom<readonly string[] | undefined>({
    type: "string[]",
    default: undefined,
    defaultText: "any address that an instance can have",
    check(option, value) {
      if (!Array.isArray(value) || value.length === 0)
        refuseOption(option, value, 'an array of networks such as ["10.0.0.0/8"], with one at least');
      for (const network of value)
        if (!isNetwork(network)) refuseOption(option, network, 'addresses and networks such as "10.0.0.0/8" and "fd00::/8"');
    },
  }),
  denyPorts: custom<readonly number[]>({
    type: "number[]",
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535)))
        refuseOption(option, value, "an array of ports from 1 to 65535");
    },
  }),
});

/**
 * Whether the instances of a service are spoken to over TLS.
 *
 * - `strict`: always, whatever discovery says of them: an entry that lacks `secure` decides nothing.
 * - `permissive`: where discovery says `secure: true`. A handshake that fails is an error and never leads to plain text.
 * - `off`: never.
 */
export type PeerMode = "strict" | "permissive" | "off";

/** The other side of the connections to a service; `peer` in the options of the mesh and of a service. */
export interface PeerOptions {
  /**
   * `strict`: TLS with every instance, whatever discovery says of it. `permissive`: TLS with those that discovery lists with `secure: true`.
   * `off`: no TLS. @default "strict" with `id`, else "permissive"
   */
  readonly mode?: PeerMode;
  /**
   * The name of the service to its instances: the `host` header (`:authority`), the name that the TLS handshake asks for (SNI) and that their
   * certificates must carry. It goes before `tls.serverName`. @default the host and port of the endpoint; its host for TLS
   */
  readonly name?: string;
  /**
   * The SPIFFE id that an instance must have, or several of which it must have one (`spiffe://example.org/orders`). It is held on each connection, and the
   * names of the certificate do not count beside it. @default the instance is known by its name
   */
  readonly id?: string | readonly string[];
}

const hostName = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
/** Resolvers and URL parsers read these as addresses, which are no names in TLS. */
const numericEnd = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)$/;

/** The rules of {@link PeerOptions}. */
export const peerOptions = optionTable<PeerOptions>()({
  mode: choice(["strict", "permissive", "off"], "permissive", '`"strict"` with `id`, else `"permissive"`'),
  name: custom<string | undefined>({
    type: "string",
    default: undefined,
    defaultText: "the host and port of the endpoint; its host for TLS",
    check(option, value) {
      if (typeof value !== "string" || !hostName.test(value) || numericEnd.test(value))
        refuseOption(option, value, "a host name without a port");
    },
  }),
  id: custom<string | readonly string[] | undefined>({
    type: "string | string[]",
    default: undefined,
    defaultText: "the instance is known by its name",
    check(option, value) {
      const ids = Array.isArray(value) ? value : [value];
      if (ids.length === 0 || !ids.every(isIdOfInstance)) refuseOption(option, value, "a SPIFFE id with a path, or an array of them");
    },
  }),
});

/** The endpoints as a service with this mode speaks to them. Returns the same array where it has nothing to change. */
export function endpointsFor(mode: PeerMode, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  if (mode === "permissive") return endpoints;
  const secure = mode === "strict";
  if (endpoints.every((endpoint) => (endpoint.secure ?? false) === secure)) return endpoints;
  return endpoints.map((endpoint) => (endpoint.secure === secure ? endpoint : { ...endpoint, secure }));
}

/** The protocol, connections and limits with which the instances of a service are reached. */
export interface WireOptions {
  /**
   * `h1`: HTTP/1.1. `h2`: HTTP/2, without TLS by prior knowledge (h2c). `auto`: the one that an instance which speaks TLS chooses (ALPN),
   * HTTP/1.1 to the others. @default auto to instances that discovery lists as choosing themselves, such as sidecars, h1 to the others
   */
  readonly protocol?: Protocol;
  /** The connections to each instance: their number, age and isolation. */
  readonly connections?: ConnectionOptions;
  /** The name of the service to its instances, and whether they must speak TLS. */
  readonly peer?: PeerOptions;
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
  protocol: choice(
    ["h1", "h2", "auto"],
    undefined,
    "auto to instances that discovery lists as choosing themselves, such as sidecars, h1 to the others",
  ),
  connections: protecting(group(connectionOptions)),
  peer: protecting(group(peerOptions), peerOver),
  bodyIdleTimeoutMs: orFalse(timerMs({ default: 30_000, min: 1 })),
  maxCollectedBytes: orFalse(number({ default: 64 * 2 ** 20, min: 1, unit: "bytes" })),
});

/** Options of the wire with the defaults filled in, the group of connections included. */
export interface WireSettings extends Omit<Settled<typeof wireOptions.rules>, "connections" | "peer"> {
  readonly connections: Settled<typeof connectionOptions.rules>;
  readonly peer: Settled<typeof peerOptions.rules>;
}

/** The protocol to an instance: that of the options, else what its endpoint leaves to it. */
export function protocolTo({ peer }: Endpoint, given: Protocol | undefined): Protocol {
  return given ?? (peer?.negotiates === true ? "auto" : "h1");
}

/** The settings of one service's connections. */
export function settleWire(given: WireOptions): WireSettings {
  const settings = wireOptions.settle(given);
  return {
    ...settings,
    connections: connectionOptions.settle(settings.connections),
    peer: peerOptions.settle(withMode(settings.peer ?? {})),
  };
}

/** An expected id means nothing to an instance that discovery lists without TLS, and what discovery lists is written by others: with one, TLS is not optional. */
function withMode(peer: PeerOptions): PeerOptions {
  return peer.id !== undefined && peer.mode === undefined ? { ...peer, mode: "strict" } : peer;
}

/** An id that a service demands is held whatever the mode of the mesh, as it would be without that. */
function peerOver(ofMesh: PeerOptions, ofService: PeerOptions): PeerOptions {
  return optionsOver(ofMesh, withMode(ofService));
}

/** Whether a value is a SPIFFE id that an instance can have: that of a trust domain itself has no path. */
function isIdOfInstance(value: unknown): boolean {
  return typeof value === "string" && (parseSpiffeId(value)?.path ?? "") !== "";
}
