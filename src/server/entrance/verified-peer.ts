import type { Duplex } from "node:stream";
import type { VerifiedPeer } from "../../identity/verify-peer.ts";

const verifiedKey = Symbol("inmesh verified peer");

interface Marked {
  [verifiedKey]?: VerifiedPeer;
}

/** Notes on a connection the peer that this process has verified itself. */
export function noteVerified(socket: Duplex, peer: VerifiedPeer): void {
  (socket as Marked)[verifiedKey] = peer;
}

/** The peer that this process has verified on a connection; `undefined` where it has verified none. */
export function verifiedPeerOf(socket: Duplex): VerifiedPeer | undefined {
  return (socket as Marked)[verifiedKey];
}
