/**
 * The reason for which a server with an identity has refused a connection, before a request of it was read.
 *
 * - `clear-text`: it is in clear text, and only TLS is allowed.
 * - `timeout`: its first byte or its handshake did not come in time.
 * - `identity`: the server itself has no identity that is good now.
 * - `certificate`: its client shows none, or one that cannot be read, or that breaks the rules of X509-SVID.
 * - `expired`: a certificate of its client's chain is outside of its dates.
 * - `authority`: no authority that is trusted for it has issued the certificate.
 * - `revoked`: a certificate of the chain is revoked, or the list that would say so is out of date.
 * - `id`: its client is another one than was expected.
 * - `handshake`: the TLS handshake has failed for another reason, as where the client refuses the certificate of the server.
 */
export type ConnectionRefusal =
  | "clear-text"
  | "timeout"
  | "identity"
  | "certificate"
  | "expired"
  | "authority"
  | "revoked"
  | "id"
  | "handshake";
