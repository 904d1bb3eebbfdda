/**
 * The caller of a served request, as far as this process has verified it. Authorization decides by it; what a request only claims of itself is not in
 * here.
 */
export interface Caller {
  /**
   * The identity of the connection's other end, verified by TLS, or by a proxy that is believed: a SPIFFE id (`spiffe://example.org/orders`), else the DNS
   * name of the certificate, else its subject. `undefined` where there is none.
   */
  readonly identity: string | undefined;
  /** The address of the connection's other end; `undefined` for a Unix socket. */
  readonly address: string | undefined;
  /** The tokens of the request whose signature, audience and dates hold. */
  readonly tokens: readonly VerifiedToken[];
}

/** A token whose signature, issuer, audience and dates have been verified. */
export interface VerifiedToken {
  /** The name of the provider of the options that has verified it. */
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string | undefined;
  /** All of its claims, frozen. */
  readonly claims: Readonly<Record<string, unknown>>;
}
