/** The newest connection over TLS to an instance, by its handshake. */
export interface ConnectionReading {
  /** The version of TLS: `TLSv1.3`. */
  readonly tls: string;
  readonly protocol: "h1" | "h2";
  /** The identity that the instance has shown: its SPIFFE id, else the first DNS name of its certificate, else the subject. */
  readonly identity: string;
  /** The end of its certificate, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The time at which the connection was made, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** How an instance is spoken to. */
export interface EncryptionReading {
  /** Whether its connections are encrypted: those that are made from now on. */
  readonly encrypted: boolean;
  /** The newest connection over TLS; `undefined` where there was none, also while it is spoken to in clear text. */
  readonly newest: ConnectionReading | undefined;
}
