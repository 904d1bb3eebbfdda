import type { SecureVersion } from "node:tls";
import type { Clock } from "../../core/clock.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import { Identity } from "../../identity/identity.ts";
import type { IdentitySource } from "../../identity/identity-source.ts";
import { certificateEndOf, type TlsOptions } from "../tls.ts";
import { type ClientIdentity, staticIdentity } from "./client-identity.ts";
import { keptIdentity } from "./kept-identity.ts";

/** The options of a mesh that say how it shows itself. */
export interface OwnIdentityOptions {
  readonly tls: TlsOptions;
  readonly identity: IdentitySource | undefined;
  readonly identityMinVersion: SecureVersion;
  readonly identityGraceMs: number;
  readonly clock: Clock;
}

/** The identity of a mesh: that of a keeper, or of the option `tls`. */
export class OwnIdentity {
  /** How it is used on connections. */
  readonly client: ClientIdentity;
  readonly #keeper: Identity | undefined;
  readonly #fixedEnd: number | undefined;

  /** @throws TypeError for `tls` that is no PEM */
  constructor({ tls, identity, identityMinVersion: minVersion, identityGraceMs: graceMs, clock }: OwnIdentityOptions) {
    this.#keeper = identity === undefined ? undefined : new Identity(identity, clock);
    this.client = this.#keeper === undefined ? staticIdentity(tls) : keptIdentity(this.#keeper, { minVersion, graceMs });
    this.#fixedEnd = certificateEndOf(tls);
  }

  /** Adds the end of the certificate to a reading, where it moves as the certificate is renewed. */
  readWith(reading: Omit<MeshReading, "certificateExpiresAtMs">): MeshReading {
    const get = (): number | undefined => (this.#keeper === undefined ? this.#fixedEnd : this.#keeper.expiresAtMs);
    return Object.defineProperty(reading, "certificateExpiresAtMs", { get, enumerable: true }) as MeshReading;
  }
}
