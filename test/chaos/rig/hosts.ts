import dns, { type LookupAddress } from "node:dns";
import { syncBuiltinESMExports } from "node:module";

/** Lets this process resolve further names, each to its addresses in this order. */
export function knowHosts(hosts: Readonly<Record<string, readonly string[]>>): void {
  if (Object.keys(hosts).length === 0) return;
  const { lookup } = dns;
  const known = (host: string, options: { readonly all?: boolean }, callback: (error: Error | null, found: LookupAddress[]) => void) => {
    const addresses = hosts[host];
    if (addresses === undefined) return lookup(host, options, callback as never);
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  };
  dns.lookup = known as never;
  syncBuiltinESMExports();
}
