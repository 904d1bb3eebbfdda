import type { TLSSocket } from "node:tls";
import { shownCertificates } from "../../identity/shown-certificates.ts";
import { type ExpectedPeer, verifyNames } from "../../identity/verify-peer.ts";

/** The fault of the names of a peer whose chain the handshake has verified; `undefined` for the expected peer. */
export function peerNameFault(socket: TLSSocket, expected: ExpectedPeer): Error | undefined {
  return faultOf(() => verifyNames(shownCertificates(socket).leaf, expected));
}

/** The error of a judgement; `undefined` where it admits. */
export function faultOf(judge: () => unknown): Error | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
