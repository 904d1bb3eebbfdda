import { ADDRCONFIG, lookup } from "node:dns";
import { isIP } from "node:net";
import { isInstanceAddress, type RefusableAddresses, refusableKindOf } from "../core/peers/address-policy.ts";
import type { HostAddress } from "./address-race.ts";

/** Takes the addresses of a host, or the error in their place. */
export type Looked = (...result: [error: null, addresses: readonly HostAddress[]] | [error: Error, addresses: null]) => void;

/**
 * The addresses of the host of an endpoint, without those that no instance can have, and those of the `refused` kinds: a registry entry may name
 * a host that resolves to the cloud's metadata service, which a check of the name alone does not find.
 */
export function guardedLookup(host: string, refused: readonly RefusableAddresses[], done: Looked): void {
  const family = isIP(host);
  if (family !== 0) {
    guard(host, [{ address: host, family }], refused, done);
    return;
  }
  lookup(host, { all: true, hints: ADDRCONFIG }, (error, found) => {
    if (error !== null) done(error, null);
    else guard(host, found, refused, done);
  });
}

function guard(host: string, found: readonly HostAddress[], refused: readonly RefusableAddresses[], done: Looked): void {
  const isAllowed = ({ address }: HostAddress) => isInstanceAddress(address) && !refused.some((kind) => kind === refusableKindOf(address));
  const addresses = found.filter(isAllowed);
  if (addresses.length > 0) done(null, addresses);
  else done(new AddressRefused(host, found.length > 0 && refused.length > 0), null);
}

class AddressRefused extends Error {
  readonly code = "EADDRNOTALLOWED";

  constructor(host: string, mayBeOption: boolean) {
    const verb = isIP(host) === 0 ? "resolves to" : "is";
    super(`${host} ${verb} no address that an instance can have${mayBeOption ? " (connections.refusedAddresses)" : ""}`);
  }
}
