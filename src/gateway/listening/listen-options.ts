import { checkObject, refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { custom, integer, orFalse, timerMs } from "../../core/settings/rules.ts";
import type { IdentitySource } from "../../identity/identity-source.ts";

/** The files of a certificate, in PEM: the certificate with the intermediate ones above it, leaf first, and its key. They are read again as they change. */
export interface CertificateFiles {
  readonly cert: string | URL;
  readonly key: string | URL;
  /** Takes a key that every user of the machine may read. @default false */
  readonly allowReadableKey?: boolean;
}

/** Where a gateway listens, and the limits of its connections. */
export interface GatewayListenOptions {
  /** The port. @default 0, a free one */
  readonly port?: number;
  /** The address. @default "127.0.0.1" */
  readonly host?: string;
  /**
   * The certificates for connections over TLS, by files or by sources. A client gets the first that is for the name that it asks for, or the first of all.
   * HTTP/2 is spoken to clients that offer it. @default clear text
   */
  readonly certificates?: readonly (CertificateFiles | IdentitySource)[];
  /** How long the head of a request may take, and a handshake, in milliseconds. @default 15000 */
  readonly headTimeoutMs?: number;
  /** How long a connection may be idle, in milliseconds. @default 75000 */
  readonly idleTimeoutMs?: number;
  /** The largest head of a request, in bytes; a larger one gets 431. @default 16384 */
  readonly maxHeadBytes?: number;
  /** The most connections at a time; further ones are closed at once. `false` = no limit. @default false */
  readonly maxConnections?: number | false;
  /** The most connections of one client at a time, by its address; of IPv6, the /64. `false` = no limit. @default false */
  readonly maxConnectionsPerClient?: number | false;
}

/** The rules of {@link GatewayListenOptions}. */
export const gatewayListenOptions = optionTable<GatewayListenOptions>()({
  port: integer({ default: 0, defaultText: "0, a free one", min: 0, max: 65_535 }),
  host: custom<string>({
    type: "string",
    default: "127.0.0.1",
    check(option, value) {
      if (typeof value !== "string" || value === "") refuseOption(option, value, "an address");
    },
  }),
  certificates: custom<readonly (CertificateFiles | IdentitySource)[]>({
    type: "object[]",
    default: [],
    defaultText: "clear text",
    check(option, value) {
      if (!Array.isArray(value)) throw new TypeError(`${option} must be an array of { cert, key } or of sources of identities`);
      for (const [index, each] of value.entries()) {
        checkObject(`${option}[${index}]`, each);
        const { watch, cert, key } = each as Partial<CertificateFiles & IdentitySource>;
        // A key in the wrong place must not be quoted.
        if (typeof watch !== "function" && (cert === undefined || key === undefined))
          throw new TypeError(`${option}[${index}] must have the files cert and key, or be a source of identities`);
      }
    },
  }),
  headTimeoutMs: timerMs({ min: 1, default: 15_000 }),
  idleTimeoutMs: timerMs({ min: 1, default: 75_000 }),
  maxHeadBytes: integer({ default: 16_384, min: 1_024, max: 1_048_576, unit: "bytes" }),
  maxConnections: orFalse(integer({ default: 1_000, min: 1 }), false),
  maxConnectionsPerClient: orFalse(integer({ default: 100, min: 1 }), false),
});

/** {@link GatewayListenOptions} with the defaults filled in. */
export type GatewayListenSettings = Settled<typeof gatewayListenOptions.rules>;
