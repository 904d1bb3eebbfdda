import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { inspect } from "node:util";
import { parseSpiffeId } from "../core/peers/spiffe-id.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { refusePath } from "../core/settings/pem.ts";
import { custom } from "../core/settings/rules.ts";

/** TLS for connections to instances that speak it. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted instead of the built-in ones, PEM. @default the built-in ones */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** This client's certificate chain, PEM. */
  readonly cert?: string | Uint8Array;
  /** The key of `cert`, PEM. */
  readonly key?: string | Uint8Array;
  /** The name that the instances' certificates must carry. @default the endpoint's host */
  readonly serverName?: string;
}

/** The rule of PEM. Its errors do not quote the value, which may be a key. */
const pem = custom<never>({
  type: "PEM",
  default: undefined as never,
  defaultText: "none",
  check(option, value) {
    if (!isText(value)) throw new TypeError(`${option} must be PEM: a string or bytes, not empty`);
    refusePath(option, value);
  },
});

const authorities = custom<never>({
  type: "PEM",
  default: undefined as never,
  defaultText: "the built-in ones",
  check(option, value) {
    // Node takes an empty list for "no authority is trusted".
    if (!(Array.isArray(value) ? value.length > 0 && value.every(isText) : isText(value)))
      throw new TypeError(`${option} must be PEM: a string or bytes, or an array of them, not empty`);
    refusePath(option, value);
  },
});

/** Whether a value may be PEM. An empty one, as of a variable that is not set, would mean "no certificate" to Node. */
function isText(value: unknown): boolean {
  return (typeof value === "string" || value instanceof Uint8Array) && value.length > 0;
}

/** The rules of {@link TlsOptions}; whether text is PEM is found when the secure context is made. */
export const tlsOptions = optionTable<TlsOptions>()({
  ca: authorities,
  cert: pem,
  key: pem,
  serverName: custom<string | undefined>({
    type: "string",
    default: undefined,
    defaultText: "the endpoint's host",
    check(option, value) {
      if (typeof value !== "string" || value === "")
        throw new TypeError(`${option} must be a host name, not ${typeof value === "object" ? "an object" : inspect(value)}`);
    },
  }),
});

/** Makes the secure context of {@link TlsOptions} when the mesh is made, so that wrong PEM does not wait for the first connection. */
export function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  try {
    // Node accepts a `ca` without a certificate, and trusts no authority then.
    for (const authority of ca === undefined ? [] : [ca].flat()) new X509Certificate(authority as string);
    return createSecureContext({ ca: ca as string | undefined, cert: cert as string | undefined, key: key as string | undefined });
  } catch (cause) {
    throw new TypeError(`tls: ca, cert and key must be PEM that belongs together: ${(cause as Error).message}`, { cause });
  }
}

/** The facts of a certificate that never changes. */
export interface FixedCertificate {
  /** Its SPIFFE id; `undefined` for one without. */
  readonly id: string | undefined;
  /** Its expiry in milliseconds since the epoch; of a chain, the earliest. */
  readonly expiresAtMs: number;
  readonly lifetimeMs: number;
}

/** The client certificate of the options; `undefined` where they have none. */
export function fixedCertificateOf({ cert }: TlsOptions): FixedCertificate | undefined {
  if (cert === undefined) return undefined;
  const text = typeof cert === "string" ? cert : new TextDecoder("latin1").decode(cert);
  const chain = (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem));
  const [leaf] = chain;
  if (leaf === undefined) return undefined;
  const uris = (leaf.subjectAltName ?? "").split(", ").filter((name) => name.startsWith("URI:"));
  return {
    id: uris.length === 1 ? parseSpiffeId((uris[0] as string).slice(4))?.text : undefined,
    expiresAtMs: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    lifetimeMs: Date.parse(leaf.validTo) - Date.parse(leaf.validFrom),
  };
}
