import { ADDRCONFIG, lookup } from "node:dns";
import { isIP } from "node:net";
import type { WireSettings } from "../core/connection-options.ts";
import { AddressList } from "../core/peers/address-list.ts";
import { isInstanceAddress, refusableKindOf } from "../core/peers/address-policy.ts";
import type { HostAddress } from "./address-race.ts";

/** Takes the addresses of a host, or the error in their place. */
export type Looked = (...result: [error: null, addresses: readonly HostAddress[]] | [error: Error, addresses: null]) => void;

/** The options that say which addresses are connected to. */
export type AddressRules = Pick<WireSettings["connections"], "refusedAddresses" | "allowCidrs" | "denyPorts">;

/** Of the options of services, each made once. */
const allowed = new WeakMap<readonly string[], AddressList>();
/** Addresses that a message shows. */
const maxShown = 3;

/**
 * The addresses of the host of an endpoint, without those that no instance can have and those that the options do not allow: a registry entry may name
 * a host that resolves to the cloud's metadata service, which a check of the name alone does not find.
 */
export function guardedLookup({ host, port }: { readonly host: string; readonly port: number }, rules: AddressRules, done: Looked): void {
  if (rules.denyPorts.includes(port)) {
    done(
      new AddressRefused(`${isIP(host) === 6 ? `[${host}]` : host}:${port} has a port that is not connected to (connections.denyPorts)`),
      null,
    );
    return;
  }
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
  const addresses = found.filter(({ address }) => problemOf(address, rules) === undefined);
  if (addresses.length > 0) done(null, addresses);
  else done(new AddressRefused(saidOf(host, found, rules)), null);
}

/** Why an address is not connected to. */
function problemOf(address: string, { refusedAddresses, allowCidrs }: AddressRules): string | undefined {
  if (!isInstanceAddress(address)) return "no address that an instance can have";
  if (refusedAddresses.length > 0 && refusedAddresses.some((kind) => kind === refusableKindOf(address)))
    return "no address that an instance can have (connections.refusedAddresses)";
  if (allowCidrs !== undefined && !listOf(allowCidrs).has(address))
    return "in none of the networks that are connected to (connections.allowCidrs)";
  return undefined;
}

function listOf(networks: readonly string[]): AddressList {
  const known = allowed.get(networks) ?? new AddressList(networks);
  allowed.set(networks, known);
  return known;
}

/** `10.0.0.1 is in none of …`, `db.test resolves to 10.0.0.1, which is …` */
function saidOf(host: string, found: readonly HostAddress[], rules: AddressRules): string {
  const [first] = found;
  const problem = (first && problemOf(first.address, rules)) ?? "no address that an instance can have";
  if (isIP(host) !== 0) return `${host} is ${problem}`;
  const shown = found.slice(0, maxShown).map(({ address }) => address);
  return `${host} resolves to ${shown.length === 0 ? "nothing" : shown.join(", ")}${found.length > maxShown ? ", …" : ""}, which is ${problem}`;
}

class AddressRefused extends Error {
  readonly code = "EADDRNOTALLOWED";
}
