/** Headers by which a proxy names the client that it forwards for, and a mesh the identity that it has verified: from any other peer they are a claim. */
export const claims: readonly string[] = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-protocol",
  "x-forwarded-scheme",
  "x-forwarded-ssl",
  "x-forwarded-server",
  "x-forwarded-prefix",
  "x-forwarded-path",
  "x-forwarded-uri",
  "x-forwarded-by",
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-groups",
  "x-forwarded-preferred-username",
  "x-forwarded-access-token",
  "x-forwarded-client-cert",
  "x-original-forwarded-for",
  "x-original-host",
  "x-original-method",
  "x-original-uri",
  "x-original-url",
  "x-rewrite-url",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
  "x-envoy-internal",
  "x-url-scheme",
  "x-ssl-client-cert",
  "x-ssl-client-dn",
  "x-ssl-client-verify",
  "client-cert",
  "client-cert-chain",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "front-end-https",
  "l5d-client-id",
  "x-mesh-identity",
  "x-mesh-refused",
];

/** A name in lower case, with `-` for `_`, which some programs do not tell apart. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  // Hardly any has one, and looking costs less than replacing nothing.
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}
