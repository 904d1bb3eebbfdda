import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { PeerRefused } from "./peer-refused.ts";

/** Certificates above a leaf that a peer may show: chains have one or two. */
const maxShown = 8;

/** The certificate of a connection's peer, and those that it has shown above it, in the order in which they came. */
export interface ShownCertificates {
  readonly leaf: X509Certificate;
  readonly shown: readonly X509Certificate[];
}

/**
 * The certificate of a connection's peer, with those above it; `undefined` where it has shown none. The connection keeps it: up to Node.js 24 it gives it
 * once, and a handler or another part may ask for it too.
 */
export function leafOf(socket: TLSSocket): X509Certificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf !== undefined && !Object.hasOwn(socket, "getPeerX509Certificate")) Object.assign(socket, { getPeerX509Certificate: () => leaf });
  return leaf;
}

/**
 * The certificates of the peer of a connection whose handshake is done, on either side of it.
 * @throws PeerRefused where there is none, as on a connection whose session was resumed, and where there are too many to judge.
 */
export function shownCertificates(socket: TLSSocket): ShownCertificates {
  const leaf = leafOf(socket);
  if (leaf === undefined) throw new PeerRefused("certificate", "it has shown no certificate on this connection");
  const shown: X509Certificate[] = [];
  // Each has the one that came after it, whether that has issued it or not.
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    if (shown.length === maxShown) throw new PeerRefused("certificate", `it has shown more than ${maxShown} certificates above its own`);
    shown.push(next);
  }
  return { leaf, shown };
}
