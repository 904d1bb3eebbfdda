import { ADDRCONFIG, lookup } from "node:dns";
import { isIP } from "node:net";
import type { AddressRules } from "../core/peers/address-rules.ts";
import type { HostAddress } from "./address-race.ts";

/** Takes the addresses of a host, or the error in their place. */
export type Looked = (...result: [error: null, addresses: readonly HostAddress[]] | [error: Error, addresses: null]) => void;

/**
 * The addresses of the host of an endpoint, without those that no instance can have, and those that the options refuse: a registry entry may name
 * a host that resolves to the cloud's metadata service, which a check of the name alone does not find.
 */
export function guardedLookup(host: string, rules: AddressRules, done: Looked): void {
  const family = isIP(host);
  if (family !== 0) {
    guard(host, [{ address: host, family }], rules, done);
    return;
  }
  lookup(host, { all: true, hints: ADDRCONFIG }, (error, found) => {
    if (error !== null) done(error, null);
    else guard(host, found, rules, done);
  });
}

function guard(host: string, found: readonly HostAddress[], rules: AddressRules, done: Looked): void {
  const addresses = found.filter(({ address }) => rules.faultOf(address) === undefined);
  if (addresses.length > 0) done(null, addresses);
  else done(new AddressRefused(host, [...new Set(found.map(({ address }) => rules.faultOf(address)))]), null);
}

/** No connection is made to a host or a port: a fault of what discovery or the resolver says. */
export class AddressRefused extends Error {
  readonly code = "EADDRNOTALLOWED";

  constructor(host: string, faults: readonly (string | undefined)[]) {
    const verb = isIP(host) === 0 ? "resolves to" : "is";
    const options = faults.filter((fault) => fault?.startsWith("connections."));
    super(`${host} ${verb} no address that an instance can have${options.length > 0 ? ` (${options.join(", ")})` : ""}`);
  }
}

/** No connection is made to a port that the options deny. */
export class PortRefused extends Error {
  readonly code = "EADDRNOTALLOWED";

  constructor(port: number) {
    super(`port ${port} is none that an instance can have (connections.denyPorts)`);
  }
}
