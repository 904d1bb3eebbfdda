import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { checkChoice, checkKeys, checkObject, checkText, refuseOption } from "../core/settings/checks.ts";
import { cleanText, quoted } from "../core/text/clean-text.ts";

/** An address of this machine, to be found by what is given. */
export interface AdvertisedHost {
  /** The name of the network interface, such as `eth0`. Absent: any. */
  readonly interface?: string;
  /** Absent: IPv4 where there is one, else IPv6. */
  readonly family?: "ipv4" | "ipv6";
}

/** The interfaces of a machine, as `os.networkInterfaces()` has them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

interface Candidate {
  readonly name: string;
  readonly address: string;
  readonly isIpv4: boolean;
}

/** Bridges and virtual interfaces of containers, VMs and tunnels, whose addresses others usually cannot reach. */
const bridges =
  /^(docker|br-|veth|vEthernet|cni|flannel|cali|cilium|lxc|lxd|virbr|vmnet|vboxnet|bridge|podman|kube|nerdctl|dummy|tun|tap|utun|awdl|llw)/;

/** Checks the option `host`: text, or a choice among the addresses of this machine. */
export function checkAdvertisedHost(option: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    refuseOption(option, value, 'a host name, an address, "auto" or { interface, family }');
  checkObject(option, value);
  checkKeys(option, value, ["interface", "family"]);
  const { interface: name, family } = value as AdvertisedHost;
  checkText(`${option}.interface`, name);
  checkChoice(`${option}.family`, family, ["ipv4", "ipv6"]);
}

/**
 * The address to advertise: what is given, or an address of this machine, as {@link ownAddress} chooses it.
 * @throws Error that lists the addresses of this machine when none fits.
 */
export function advertisedHost(host: string | AdvertisedHost, interfaces: Interfaces = networkInterfaces()): string {
  if (typeof host === "string" && host !== "auto") return host;
  const wanted: AdvertisedHost = typeof host === "string" ? {} : host;
  const found = ownAddress(wanted, interfaces);
  if (found !== undefined) return found;
  const ofInterface = wanted.interface === undefined ? "" : ` of the interface ${quoted(wanted.interface)}`;
  const ofFamily = wanted.family === undefined ? "" : ` (${wanted.family})`;
  throw new Error(`host: no address${ofInterface}${ofFamily} that others can reach this machine at; it has ${listOf(interfaces)}`);
}

/**
 * An address of this machine that others may reach it at: never one of the loopback or a link-local one; one of a container bridge or a tunnel only
 * where there is no other, or where its interface is named; IPv4 before IPv6 unless `family` says otherwise; of several the first of the first
 * interface by its name, so that each start chooses the same. `undefined` when there is none.
 */
export function ownAddress(wanted: AdvertisedHost = {}, interfaces: Interfaces = networkInterfaces()): string | undefined {
  const usable = candidatesOf(interfaces)
    .filter(({ name }) => wanted.interface === undefined || name === wanted.interface)
    .filter(({ isIpv4 }) => wanted.family === undefined || isIpv4 === (wanted.family === "ipv4"));
  const outside = usable.filter(({ name }) => !bridges.test(name));
  const best = outside.length > 0 ? outside : usable;
  return (best.find(({ isIpv4 }) => isIpv4) ?? best[0])?.address;
}

function candidatesOf(interfaces: Interfaces): readonly Candidate[] {
  return Object.keys(interfaces)
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }))
    .flatMap((name) => (interfaces[name] ?? []).map((each) => ({ ...each, name })))
    .filter(({ internal, address }) => !internal && !isLocal(address))
    .map(({ name, address, family }) => ({ name, address, isIpv4: family === "IPv4" }));
}

/** Whether an address is of the loopback, link-local or unspecified, whatever the interface says. */
function isLocal(address: string): boolean {
  return /^(127\.|169\.254\.|0\.|fe[89ab][0-9a-f]:|::1?$)/i.test(address);
}

function listOf(interfaces: Interfaces): string {
  const all = Object.entries(interfaces).flatMap(([name, list]) => (list ?? []).map(({ address }) => `${cleanText(name)} ${address}`));
  return all.length === 0 ? "no address" : all.join(", ");
}
