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
