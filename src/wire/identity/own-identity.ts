import type { SecureVersion } from "node:tls";
import type { Clock } from "../../core/clock.ts";
import type { IdentityReading } from "../../core/observing/identity-reading.ts";
import type { MeshReading } from "../../core/observing/reading.ts";
import { Identity } from "../../identity/identity.ts";
import type { IdentitySource } from "../../identity/identity-source.ts";
import { type FixedCertificate, fixedCertificateOf, type TlsOptions } from "../tls.ts";
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
  readonly #fixed: FixedCertificate | undefined;
  readonly #clock: Clock;

  /** @throws TypeError for `tls` that is no PEM */
  constructor({ tls, identity, identityMinVersion: minVersion, identityGraceMs: graceMs, clock }: OwnIdentityOptions) {
    this.#keeper = identity === undefined ? undefined : new Identity(identity, clock);
    this.client = this.#keeper === undefined ? staticIdentity(tls) : keptIdentity(this.#keeper, { minVersion, graceMs });
    this.#fixed = fixedCertificateOf(tls);
    this.#clock = clock;
  }

  /** Adds the identity to a reading, and the end of its certificate, which moves as it is renewed. */
  readWith(reading: Omit<MeshReading, "certificateExpiresAtMs" | "identity">): MeshReading {
    const get = (): number | undefined => (this.#keeper === undefined ? this.#fixed?.expiresAtMs : this.#keeper.expiresAtMs);
    const whole = { ...reading, identity: () => this.reading() };
    return Object.defineProperty(whole, "certificateExpiresAtMs", { get, enumerable: true }) as unknown as MeshReading;
  }

  /** All that is visible of it; `undefined` where this process shows no certificate. */
  reading(): IdentityReading | undefined {
    if (this.#keeper !== undefined) return this.#keeper.reading();
    if (this.#fixed === undefined) return undefined;
    const state = this.#clock.wallNow() < this.#fixed.expiresAtMs ? "ready" : "expired";
    return { source: "tls", state, failure: undefined, ...this.#fixed };
  }
}
