import type { Clock } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { Upstream } from "../core/upstream.ts";
import type { GiveUp, Opened } from "./address-race.ts";
import type { ClientIdentity } from "./client-identity.ts";
import { connectTimeout } from "./connect-timeout.ts";
import { ConnectionOpening } from "./connection-opening.ts";

/** The parts that all connections of a mesh share. */
export interface InstanceConnectorOptions {
  /** The zone of this process. */
  readonly zone?: string | undefined;
  readonly identity: ClientIdentity;
  readonly clock: Clock;
}

/** One connection, beside the rules of its service. */
export interface ConnectionRequest {
  /** The protocols to offer where the instance speaks TLS (ALPN). */
  readonly alpn: readonly string[];
  /** The name that the request gives by its `host` header, which only interceptors set. */
  readonly serverName?: string | undefined;
  /** `false` where the asker itself limits the time, and the connection does not keep the process alive. @default true */
  readonly isForRequests?: boolean;
}

/** Within a zone nothing on the way takes longer than a lost SYN and its repetition. */
const connectWithinZoneMs = 300;
const connectBeyondZoneMs = 1_000;

/**
 * Opens every connection to an instance, for pools, agents, upgrades and health checks alike, so that all keep the same rules: which addresses may
 * be connected to, how several are tried, the time limit, whether TLS is spoken, and which name and authorities the certificate must have.
 */
export class InstanceConnector {
  readonly identity: ClientIdentity;
  readonly #zone: string | undefined;
  readonly #clock: Clock;

  constructor({ zone, identity, clock }: InstanceConnectorOptions) {
    this.identity = identity;
    this.#zone = zone;
    this.#clock = clock;
  }

  /** Opens a connection, TLS handshake included. `opened` is called once, not before this returns. */
  open(upstream: Upstream, wire: WireSettings, request: ConnectionRequest, opened: Opened): GiveUp {
    const { isForRequests = true, alpn, serverName } = request;
    const { endpoint } = upstream;
    const limitMs = this.#limitMs(upstream, wire);
    const target = {
      endpoint,
      refusedAddresses: wire.connections.refusedAddresses,
      limitMs,
      clock: this.#clock,
      isUnref: !isForRequests,
      alpn,
      serverName: upstream.peerName ?? serverName ?? this.identity.serverName,
      secureContext: this.identity.secureContext(),
    };
    const open = (done: Opened): GiveUp => {
      const opening = new ConnectionOpening(target, done);
      return (reason) => opening.giveUp(reason);
    };
    return isForRequests ? connectTimeout(open, limitMs, this.#clock, opened) : open(opened);
  }

  /** Asked at each connection, since discovery may change the zone of an instance. */
  #limitMs({ endpoint }: Upstream, { connections }: WireSettings): number {
    const isWithinZone = this.#zone !== undefined && endpoint.zone === this.#zone;
    return connections.connectTimeoutMs ?? (isWithinZone ? connectWithinZoneMs : connectBeyondZoneMs);
  }
}
