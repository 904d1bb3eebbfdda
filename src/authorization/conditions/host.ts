import type { HeaderCondition } from "../policy.ts";

/** The name of the header that HTTP/2 calls `:authority`. */
export const hostHeader = "host";

/** A host in the one spelling that conditions compare: without regard to case, the port that the scheme has anyway, and the dot at the end. */
export function plainHost(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/:(?:80|443)$/, "")
    .replace(/\.(?=:\d+$|$)/, "");
}

/** The test of a condition on the host, for plain hosts. A regular expression is left as it is: it sees the plain host. */
export function withPlainHost({ name, exact, prefix, suffix, regex }: HeaderCondition): HeaderCondition {
  if (exact !== undefined) return { name, exact: [exact].flat().map(plainHost) };
  if (prefix !== undefined) return { name, prefix: prefix.toLowerCase() };
  return suffix === undefined ? { name, regex: regex ?? "" } : { name, suffix: plainHost(suffix) };
}
