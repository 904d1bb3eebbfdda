/**
 * The state of an identity of this process.
 *
 * - `pending`: the source has given none yet.
 * - `ready`: it is in use.
 * - `expired`: its certificate has ended, and no other has come.
 * - `withdrawn`: the source has said that it must not be used any more.
 */
export type IdentityState = "pending" | "ready" | "expired" | "withdrawn";

/** All of {@link IdentityState}. */
export const identityStates: readonly IdentityState[] = ["pending", "ready", "expired", "withdrawn"];

/** An identity of this process at this moment: that of a mesh, or of a server. It holds no key. */
export interface IdentityReading {
  /** The source of it: `files`, `consul`, `workload-api`; `tls` for the certificate of the option `tls`, which never changes. */
  readonly source: string;
  readonly state: IdentityState;
  /** The SPIFFE id; `undefined` while there is none, and for a certificate without one. */
  readonly id: string | undefined;
  /** The end of its certificate in milliseconds since the epoch, of a chain the earliest; `undefined` before the first one. */
  readonly expiresAtMs: number | undefined;
  /** The lifetime of its certificate in milliseconds; `undefined` before the first one. */
  readonly lifetimeMs: number | undefined;
  /** The last failure of its source, or the reason for which new credentials were refused; `undefined` since the last good ones. */
  readonly failure: string | undefined;
}
