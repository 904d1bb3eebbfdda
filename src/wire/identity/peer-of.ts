import type { Endpoint } from "../../core/endpoint.ts";
import type { ExpectedPeer } from "../../identity/verify-peer.ts";

/** The demands of a service on the peers of its connections. */
export interface PeerDemands {
  /** The ids of `peer.id`. */
  readonly ids: readonly string[] | undefined;
  /** The name that an option or a request gives; `undefined` where none does. */
  readonly name: string | undefined;
}

/** The peer of a connection. */
export interface ConnectionPeer {
  /** The name that the handshake asks for; `undefined`: the host of the endpoint. */
  readonly serverName: string | undefined;
  readonly expected: ExpectedPeer;
  /** Whether it is known by an id, which the handshake itself does not look at. */
  readonly hasId: boolean;
}

/**
 * The peer to expect at an endpoint. Ids of the options count alone. What discovery lists stands in for the host of the endpoint, which discovery has
 * given too; a name that the options give is demanded beside it.
 */
export function peerOf({ host, peer }: Endpoint, { ids, name }: PeerDemands): ConnectionPeer {
  const serverName = name ?? peer?.serverName;
  if (ids !== undefined) return { serverName, expected: { ids }, hasId: true };
  if (peer !== undefined) return { serverName, expected: { listedId: peer.id, name }, hasId: true };
  return { serverName, expected: { name: name ?? host }, hasId: false };
}
