import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { isInstanceAddress } from "../core/address-policy.ts";

/**
 * Resolves the host name of an endpoint, without the addresses that no instance can have: a registry entry may name a host that resolves to
 * the cloud's metadata service, which a check of the name alone does not find.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const wanted: LookupOptions = { ...options, all: true };
  lookup(hostname, wanted, (error, found) => {
    if (error !== null) return callback(error, "", 0);
    const addresses = (found as unknown as LookupAddress[]).filter(({ address }) => isInstanceAddress(address));
    const [first] = addresses;
    if (first === undefined) {
      const refused: NodeJS.ErrnoException = new Error(`${hostname} resolves to no address that an instance can have`);
      refused.code = "EADDRNOTALLOWED";
      return callback(refused, "", 0);
    }
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
