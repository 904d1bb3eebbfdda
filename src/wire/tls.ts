import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { inspect } from "node:util";
import { optionTable } from "../core/settings/option-table.ts";
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

const pem = custom<never>({ type: "PEM", default: undefined as never, defaultText: "none", check: () => {} });

/** The rules of {@link TlsOptions}. Invalid PEM is found when the secure context is made. */
export const tlsOptions = optionTable<TlsOptions>()({
  ca: { ...pem, defaultText: "the built-in ones" },
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

/** The expiry of the client certificate in milliseconds since the epoch; of a chain, the earliest. */
export function certificateEndOf({ cert }: TlsOptions): number | undefined {
  if (cert === undefined) return undefined;
  const text = typeof cert === "string" ? cert : new TextDecoder("latin1").decode(cert);
  const chain = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return chain.length === 0 ? undefined : Math.min(...chain.map((pem) => Date.parse(new X509Certificate(pem).validTo)));
}
