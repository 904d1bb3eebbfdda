import { cleanText } from "../core/text/clean-text.ts";

/**
 * The reason for which a peer is refused.
 *
 * - `certificate`: it shows none, or one that cannot be read, or that breaks the rules of X509-SVID.
 * - `expired`: a certificate of its chain is outside of its dates.
 * - `authority`: no authority that is trusted for it has issued the certificate.
 * - `revoked`: a certificate of the chain is revoked, or the list that would say so is out of date.
 * - `id`: it is another one than was expected.
 */
export type PeerRefusal = "certificate" | "expired" | "authority" | "revoked" | "id";

/** The error of a peer whose certificate is refused. Its code is one of those by which a failed handshake is known. */
export class PeerRefused extends Error {
  readonly code = "ERR_TLS_PEER_REFUSED";
  readonly reason: PeerRefusal;

  constructor(reason: PeerRefusal, message: string) {
    super(cleanText(message));
    this.reason = reason;
  }
}
