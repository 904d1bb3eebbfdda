import { createPrivateKey, X509Certificate } from "node:crypto";
import { parseSpiffeId } from "../../../core/peers/spiffe-id.ts";
import { cleanText } from "../../../core/text/clean-text.ts";
import { factsOf } from "../../certificate-facts.ts";
import type { Credentials } from "../../credentials.ts";
import { svidOf } from "../../svid.ts";
import type { DataSource } from "../protos/envoy-core_pb.ts";
import type { CertificateValidationContext, Secret, SPIFFECertValidatorConfig } from "../protos/envoy-secret_pb.ts";

/** Certificate and key of a secret. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  /** The trust domain of its SPIFFE id; `undefined` for a certificate without one. */
  readonly trustDomain: string | undefined;
  readonly expiresAtMs: number;
}

/** Authorities of a secret, as PEM texts. */
export interface Authorities {
  /** Those that the secret gives without a trust domain. */
  readonly unnamed: string | undefined;
  readonly byDomain: ReadonlyMap<string, string>;
  readonly revocations: string | undefined;
}

/** @throws Error naming the secret, where it has no certificate with its key, inline. */
export function certificateOf({ name, type }: Secret): Certificate {
  const what = `the secret "${cleanText(name)}"`;
  if (type.case !== "tlsCertificate") throw new Error(`${what} has no certificate`);
  const certificate = inline(`the certificate of ${what}`, type.value.certificateChain);
  const key = inline(`the key of ${what}`, type.value.privateKey);
  let leaf: X509Certificate;
  let belongs: boolean;
  try {
    leaf = new X509Certificate(certificate);
    belongs = leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    // The errors of the parsers might quote the key.
    throw new Error(`certificate or key of ${what} cannot be read`);
  }
  if (!belongs) throw new Error(`the key of ${what} is not that of its certificate`);
  return { certificate, key, trustDomain: svidOf(factsOf(leaf))?.trustDomain, expiresAtMs: leaf.validToDate.getTime() };
}

/** @throws Error naming the secret, where it has no authorities, inline. */
export function authoritiesOf(
  { name, type }: Secret,
  validator: (context: CertificateValidationContext) => SPIFFECertValidatorConfig | undefined,
): Authorities {
  const what = `the secret "${cleanText(name)}"`;
  if (type.case !== "validationContext") throw new Error(`${what} has no authorities`);
  const byDomain = new Map<string, string>();
  for (const domain of validator(type.value)?.trustDomains ?? []) {
    const id = parseSpiffeId(`spiffe://${domain.name}`);
    if (id === undefined || id.path !== "") throw new Error(`"${cleanText(domain.name)}" in ${what} is no trust domain`);
    byDomain.set(id.trustDomain, inline(`the bundle of ${id.text}`, domain.trustBundle));
  }
  const { trustedCa, crl } = type.value;
  const unnamed = trustedCa === undefined ? undefined : inline(`the authorities of ${what}`, trustedCa);
  if (unnamed === undefined && byDomain.size === 0) throw new Error(`${what} has no authorities`);
  return { unnamed, byDomain, revocations: crl === undefined ? undefined : inline(`the revocations of ${what}`, crl) };
}

/**
 * The credentials of one certificate and several secrets with authorities, by the names of those. Authorities without a trust domain belong to the one
 * whose SPIFFE id is the secret's name, else to the certificate's own.
 */
export function joined({ certificate, key, trustDomain }: Certificate, all: ReadonlyMap<string, Authorities>): Credentials {
  const authorities: string[] = [];
  const bundles = new Map<string, string[]>();
  const revocations: string[] = [];
  const add = (domain: string, text: string): void => void bundles.set(domain, [...(bundles.get(domain) ?? []), ...pems(text)]);
  for (const [name, { unnamed, byDomain, revocations: list }] of all) {
    for (const [domain, text] of byDomain) add(domain, text);
    if (list !== undefined) revocations.push(list);
    const domain = parseSpiffeId(name)?.trustDomain ?? trustDomain;
    if (unnamed === undefined || byDomain.size > 0) continue;
    if (domain === undefined) authorities.push(...pems(unnamed));
    else add(domain, unnamed);
  }
  return { certificate, key, trust: { authorities, bundles, revocations } };
}

function pems(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [text];
}

/** A path or a variable that another program names is not read: it could name any. */
function inline(what: string, source: DataSource | undefined): string {
  const { case: kind, value } = source?.specifier ?? { case: undefined, value: undefined };
  if (kind === "inlineString" && value !== "") return value;
  if (kind === "inlineBytes" && value.length > 0) return Buffer.from(value).toString("utf8");
  throw new Error(`${what} ${kind === "filename" || kind === "environmentVariable" ? "is not inline" : "is empty"}`);
}
