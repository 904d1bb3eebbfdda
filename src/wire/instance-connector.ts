import type { TLSSocket } from "node:tls";
import type { Clock } from "../core/clock.ts";
import type { WireSettings } from "../core/connection-options.ts";
import type { ConnectionReading } from "../core/observing/connection-reading.ts";
import type { Upstream } from "../core/upstream.ts";
import type { GiveUp, Opened } from "./address-race.ts";
import { connectTimeout } from "./connect-timeout.ts";
import { ConnectionOpening, type ConnectionTarget } from "./connection-opening.ts";
import type { ClientIdentity, IdentityChanges } from "./identity/client-identity.ts";
import { peerOf } from "./identity/peer-of.ts";
import { ShownPeers } from "./identity/shown-peers.ts";

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

/** The time, in milliseconds, for which the first connections wait for the first identity. */
const identityWaitMs = 5_000;
/** Within a zone nothing on the way takes longer than a lost SYN and its repetition. */
const connectWithinZoneMs = 300;
const connectBeyondZoneMs = 1_000;

/**
 * Opens every connection to an instance, for pools, agents, upgrades and health checks alike, so that all keep the same rules: which addresses may
 * be connected to, how several are tried, the time limit, whether TLS is spoken, and which name and authorities the certificate must have.
 */
export class InstanceConnector {
  readonly identity: ClientIdentity;
  readonly #shown: ShownPeers;
  readonly #zone: string | undefined;
  readonly #clock: Clock;

  constructor({ zone, identity, clock }: InstanceConnectorOptions) {
    this.identity = identity;
    this.#shown = new ShownPeers(clock);
    this.#zone = zone;
    this.#clock = clock;
  }

  /** Opens a connection, TLS handshake included. `opened` is called once, not before this returns. */
  open(upstream: Upstream, wire: WireSettings, request: ConnectionRequest, opened: Opened): GiveUp {
    const { isForRequests = true, alpn, serverName } = request;
    const { endpoint } = upstream;
    const { changes } = this.identity;
    if (endpoint.secure && changes?.isPending)
      return this.#whenIdentified(changes, (done) => this.open(upstream, wire, request, done), opened);
    const limitMs = this.#limitMs(upstream, wire);
    let tls: Pick<ConnectionTarget, "serverName" | "secureContext" | "fault">;
    try {
      tls = this.#tlsOf(upstream, wire, serverName);
    } catch (error) {
      process.nextTick(opened, error as Error, null);
      return () => {};
    }
    const target = {
      endpoint,
      addressRules: wire.connections,
      limitMs,
      clock: this.#clock,
      isUnref: !isForRequests,
      alpn,
      ...tls,
    };
    const open = (done: Opened): GiveUp => {
      const opening = new ConnectionOpening(target, endpoint.secure ? this.#noting(upstream, done) : done);
      return (reason) => opening.giveUp(reason);
    };
    return isForRequests ? connectTimeout(open, limitMs, this.#clock, opened) : open(opened);
  }

  /** The newest connection over TLS to an instance; `undefined` where there was none. */
  newestOf(upstream: Upstream): ConnectionReading | undefined {
    return this.#shown.of(upstream);
  }

  /** Notes the peer of a connection that was made. */
  #noting(upstream: Upstream, opened: Opened): Opened {
    return (...result) => {
      const [, socket] = result;
      if (socket !== null) this.#shown.note(upstream, socket as TLSSocket);
      opened(...result);
    };
  }

  /** The name, the authorities and the judgement of the peer, asked for at each connection: they may have changed. */
  #tlsOf({ endpoint, peerName }: Upstream, { peer }: WireSettings, given: string | undefined) {
    const name = peerName ?? given ?? this.identity.serverName;
    if (!endpoint.secure) return { serverName: name, secureContext: undefined, fault: undefined };
    const ids = peer.id === undefined ? undefined : [peer.id].flat();
    const { serverName, expected, hasId } = peerOf(endpoint, { ids, name });
    const { fault, changes } = this.identity;
    const isJudged = hasId || changes !== undefined;
    return {
      serverName,
      secureContext: this.identity.secureContext(expected),
      fault: isJudged && fault !== undefined ? (socket: TLSSocket) => fault(socket, expected) : undefined,
    };
  }

  /** Waits for the first identity of this process: its time is not the instance's. */
  #whenIdentified(changes: IdentityChanges, open: (opened: Opened) => GiveUp, opened: Opened): GiveUp {
    let giveUp: GiveUp | undefined;
    let isOver = false;
    const leave = changes.whenSettled(identityWaitMs, () => {
      if (isOver) return;
      // None has come: the secure context says so.
      giveUp = changes.isPending ? failing(() => this.identity.secureContext(), opened) : open(opened);
    });
    return (reason) => {
      if (giveUp !== undefined) giveUp(reason);
      else if (!isOver) {
        isOver = true;
        leave();
        opened(reason, null);
      }
    };
  }

  /** Asked at each connection, since discovery may change the zone of an instance. */
  #limitMs({ endpoint }: Upstream, { connections }: WireSettings): number {
    const isWithinZone = this.#zone !== undefined && endpoint.zone === this.#zone;
    return connections.connectTimeoutMs ?? (isWithinZone ? connectWithinZoneMs : connectBeyondZoneMs);
  }
}

/** Fails with the error that `run` throws. */
function failing(run: () => unknown, opened: Opened): GiveUp {
  try {
    run();
    opened(new Error("there is no identity"), null);
  } catch (error) {
    opened(error as Error, null);
  }
  return () => {};
}
