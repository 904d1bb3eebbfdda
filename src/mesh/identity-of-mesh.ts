import type { Identity } from "../identity/identity.ts";
import { type ClientIdentity, staticIdentity } from "../wire/identity/client-identity.ts";
import { keptIdentity } from "../wire/identity/kept-identity.ts";
import { certificateEndOf, type TlsOptions } from "../wire/tls.ts";
import type { MeshSettings } from "./mesh-options.ts";

/** The identity of a mesh on its connections: that of the keeper, or of the option `tls`. */
export function clientIdentityOf(identity: Identity | undefined, settings: MeshSettings): ClientIdentity {
  if (identity === undefined) return staticIdentity(settings.tls);
  return keptIdentity(identity, { minVersion: settings.identityMinVersion, graceMs: settings.identityGraceMs });
}

/** Reads the end of the certificate of a mesh, which moves as an identity is renewed. */
export function certificateEndReader(identity: Identity | undefined, tls: TlsOptions): () => number | undefined {
  const fixed = certificateEndOf(tls);
  return () => (identity === undefined ? fixed : identity.expiresAtMs);
}
