import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

/** TLS towards the instances that speak it. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted instead of the built-in ones, PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** This client's certificate chain, PEM. */
  readonly cert?: string | Uint8Array;
  /** The key of {@link TlsOptions.cert}, PEM. */
  readonly key?: string | Uint8Array;
  /** The name that the instances' certificates must carry. Default: the endpoint's host. */
  readonly serverName?: string;
}

/** The context of {@link TlsOptions}: PEM that is wrong is found when the mesh is made, not at the first connection. */
export function secureContextOf({ ca, cert, key }: TlsOptions): SecureContext | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  try {
    // Node takes a `ca` without one certificate for "trust nobody".
    for (const authority of ca === undefined ? [] : [ca].flat()) new X509Certificate(authority as string);
    return createSecureContext({ ca: ca as string | undefined, cert: cert as string | undefined, key: key as string | undefined });
  } catch (cause) {
    throw new TypeError(`tls: ca, cert and key must be PEM that belongs together: ${(cause as Error).message}`, { cause });
  }
}

/** When the client certificate ends, in milliseconds since the epoch: of a chain the first that does. */
export function certificateEndOf({ cert }: TlsOptions): number | undefined {
  if (cert === undefined) return undefined;
  const text = typeof cert === "string" ? cert : new TextDecoder("latin1").decode(cert);
  const chain = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return chain.length === 0 ? undefined : Math.min(...chain.map((pem) => Date.parse(new X509Certificate(pem).validTo)));
}
