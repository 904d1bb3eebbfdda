import { parseSpiffeId, type SpiffeId } from "../../../core/peers/spiffe-id.ts";
import { field, text } from "../entries/json.ts";
import { ConsulError } from "../http/consul-error.ts";

/** The authorities of a mesh. */
export interface Roots {
  readonly trustDomain: string;
  /** All of them, inactive ones too: while an authority is replaced, both have issued certificates that are in use. PEM, one certificate each. */
  readonly authorities: readonly string[];
}

/** A certificate of a service and its key. */
export interface Leaf {
  readonly certificate: string;
  readonly key: string;
  readonly id: SpiffeId;
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

const certificateForm = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g;

/** Reads an answer with the authorities. Throws a {@link ConsulError}. */
export function rootsOf(body: unknown): Roots {
  const trustDomain = text(field(body, "TrustDomain"));
  if (trustDomain === undefined || parseSpiffeId(`spiffe://${trustDomain}`) === undefined)
    throw new ConsulError("the answer about the authorities of the mesh has no trust domain");
  const roots = field(body, "Roots");
  if (!Array.isArray(roots)) throw new ConsulError("the answer about the authorities of the mesh has no list");
  const authorities = roots.flatMap((root) => (text(field(root, "RootCert")) ?? "").match(certificateForm) ?? []);
  if (authorities.length === 0) throw new ConsulError("the mesh has no authority");
  return { trustDomain, authorities: [...new Set(authorities.map((each) => `${each}\n`))] };
}

/** Reads an answer with a certificate and its key. Throws a {@link ConsulError}, which shows neither. */
export function leafOf(body: unknown): Leaf {
  const certificate = text(field(body, "CertPEM"));
  const key = text(field(body, "PrivateKeyPEM"));
  const id = parseSpiffeId(text(field(body, "ServiceURI")) ?? "");
  const validFromMs = Date.parse(text(field(body, "ValidAfter")) ?? "");
  const validUntilMs = Date.parse(text(field(body, "ValidBefore")) ?? "");
  if (certificate === undefined || certificate.match(certificateForm) === null) throw new ConsulError("the answer has no certificate");
  if (key === undefined || !key.includes("PRIVATE KEY-----")) throw new ConsulError("the answer has no key");
  if (id === undefined) throw new ConsulError("the answer has no SPIFFE id");
  if (!(validFromMs < validUntilMs)) throw new ConsulError("the answer does not say how long the certificate is valid");
  return { certificate, key, id, validFromMs, validUntilMs };
}
