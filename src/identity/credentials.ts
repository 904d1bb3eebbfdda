/**
 * The certificate and key by which this process shows its identity, and the authorities by which it judges others. One object is one state: a source
 * gives a whole new one for each change, so that a certificate never meets the key or the authorities of another state.
 */
export interface Credentials {
  /** The certificate of this process and the intermediate ones above it, leaf first; PEM. */
  readonly certificate: string;
  /** The key of the certificate; PEM. It stands in no message. */
  readonly key: string;
  readonly trust: Trust;
}

/** The authorities by which the certificates of others are judged. */
export interface Trust {
  /** Authorities of peers whose certificate has no SPIFFE id; PEM, one or several in each text. */
  readonly authorities: readonly string[];
  /**
   * Authorities of each SPIFFE trust domain, by its name (`example.org`); PEM, one certificate each. A peer with a SPIFFE id is judged by those of its own
   * domain and by no others (SPIFFE Trust Domain and Bundle §4): an authority of one domain cannot issue ids of another.
   */
  readonly bundles: ReadonlyMap<string, readonly string[]>;
  /** Lists of revoked certificates of these authorities; PEM. */
  readonly revocations?: readonly string[];
}
