import { given, type Options } from "../text/data.ts";
import type { ReadCluster } from "./cluster.ts";
import type { ClusterTls } from "./tls.ts";

/** The source of endpoints for all clusters. `fallback` is for those without endpoints of their own. */
export function discoveryOf(clusters: readonly ReadCluster[], fallback: unknown): unknown {
  const listed: [string, unknown][] = [];
  const sources: [string, unknown][] = [];
  for (const { name, source } of clusters) {
    if ("list" in source) listed.push([name, source.list]);
    else if ("source" in source) sources.push([name, source.source]);
  }
  const isByName = clusters.some(({ source }) => "byName" in source);
  if (sources.length === 0 && !isByName) return { static: Object.fromEntries(listed) };
  if (sources.length === 0 && listed.length === 0) return fallback;
  const services = Object.fromEntries([...listed.map(([name, list]) => [name, { static: { [name]: list } }] as const), ...sources]);
  return { byService: given({ services, otherwise: isByName ? fallback : undefined }) };
}

/** The part of the TLS of clusters that the whole mesh has: one identity, or one set of authorities. */
export function tlsOptionsOf(clusters: readonly ReadCluster[]): Options {
  const all = clusters.flatMap(({ tls }) => tls ?? []);
  const [first] = all;
  if (first === undefined) return {};
  for (const each of all)
    for (const name of ["ca", "crl", "cert", "key", "minVersion"] as const)
      if (each[name] !== first[name])
        each.part.refuse(
          `the clusters of a mesh have one identity and one set of authorities: ${name} is another one here than for the cluster before`,
        );
  return first.cert === undefined ? withoutIdentity(first) : withIdentity(first);
}

function withIdentity({ ca, crl, cert, key, minVersion, part }: ClusterTls): Options {
  if (key === undefined) part.refuse("TlsCertificate.private_key is missing");
  if (ca === undefined)
    part.refuse("CertificateValidationContext.trusted_ca is missing: an identity has authorities by which others are verified");
  for (const file of [cert, key, ca, crl])
    if (file?.startsWith("${env:")) part.refuse("an identity is read from files, which may change, and not from an environment_variable");
  return given({
    identity: { files: given({ cert, key, ca, revocations: crl }) },
    identityMinVersion: minVersion === "TLSv1_3" ? undefined : "TLSv1.2",
  });
}

function withoutIdentity({ ca, crl, minVersion, part }: ClusterTls): Options {
  if (minVersion !== undefined)
    part.refuse("TlsParameters.tls_minimum_protocol_version: TLS 1.3 alone needs a certificate of the mesh's own (tls_certificates)");
  if (crl !== undefined) part.refuse("CertificateValidationContext.crl needs a certificate of the mesh's own");
  return ca === undefined ? {} : { tls: { ca: ca.startsWith("${") ? ca : `\${file:${ca}}` } };
}
