import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { PeerRefused } from "../../identity/peer-refused.ts";
import { type ExpectedPeer, verifyNames } from "../../identity/verify-peer.ts";

/** Certificates above a leaf that are looked at, at most. */
const maxShown = 8;

/** The certificate of a connection's peer, and those that it has shown above it. */
export interface PeerCertificates {
  readonly leaf: X509Certificate;
  readonly shown: readonly X509Certificate[];
}

const leaves = new WeakMap<TLSSocket, X509Certificate>();

/** The certificate of a connection's peer; `undefined` where it has shown none. Node.js gives it once (24.21), so that it is kept with the connection. */
export function leafOf(socket: TLSSocket): X509Certificate | undefined {
  const known = leaves.get(socket);
  if (known !== undefined) return known;
  const leaf = socket.getPeerX509Certificate();
  if (leaf !== undefined) leaves.set(socket, leaf);
  return leaf;
}

/**
 * The certificates of the peer of a connection whose handshake is done.
 * @throws PeerRefused where there is none, as on a connection whose session was resumed.
 */
export function peerCertificatesOf(socket: TLSSocket): PeerCertificates {
  const leaf = leafOf(socket);
  if (leaf === undefined) throw new PeerRefused("certificate", "it has shown no certificate on this connection");
  const shown: X509Certificate[] = [];
  let at = socket.getPeerCertificate(true);
  while (at.issuerCertificate !== undefined && at.issuerCertificate !== at && shown.length < maxShown) {
    at = at.issuerCertificate;
    shown.push(new X509Certificate(at.raw));
  }
  return { leaf, shown };
}

/** The fault of the names of a peer whose chain the handshake has verified; `undefined` for the expected peer. */
export function peerNameFault(socket: TLSSocket, expected: ExpectedPeer): Error | undefined {
  return faultOf(() => verifyNames(peerCertificatesOf(socket).leaf, expected));
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
