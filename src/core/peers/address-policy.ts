import { BlockList, isIP } from "node:net";

/**
 * Networks that contain no address of an instance. Loopback and private networks are not among them: most meshes live there.
 * Sources: RFC 6890, and the metadata services of clouds outside of link-local networks.
 */
const refusedIpv4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8], // "this network", with the unspecified address
  ["169.254.0.0", 16], // link-local, with the metadata service of most clouds
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, with broadcast
  ["100.100.100.200", 32], // metadata, Alibaba
  ["192.0.0.192", 32], // metadata, Oracle
  ["168.63.129.16", 32], // platform services, Azure
];
const refusedIpv6: readonly (readonly [network: string, prefix: number])[] = [
  ["fe80::", 10], // link-local
  ["ff00::", 8], // multicast
  ["fd00:ec2::", 112], // metadata, credentials of EKS pods, DNS and time, AWS
  ["fd00:c1::a9fe:0", 112], // metadata, Oracle
  ["fd20:ce::254", 128], // metadata, Google
  ["fd00:42::42", 128], // metadata, Scaleway
  ["100::", 64], // discard-only
  // IPv4 embedded at bits that differ from network to network or are masked: NAT64 for local use (RFC 8215), Teredo (RFC 4380).
  ["64:ff9b:1::", 48],
  ["2001::", 32],
];

const refused = new BlockList();
/**
 * IPv4 addresses embedded in IPv6, which could be written plainly: mapped (`::ffff:0:0/96`), compatible (`::/96`, with `::`) and translated
 * (`::ffff:0:0:0/96`, RFC 7915).
 */
const embedded = new BlockList();
for (const [network, prefix] of refusedIpv4) addIpv4(refused, network, prefix);
for (const [network, prefix] of refusedIpv6) refused.addSubnet(network, prefix, "ipv6");
embedded.addSubnet("::", 96, "ipv6");
embedded.addSubnet("::ffff:0:0", 96, "ipv6");
embedded.addSubnet("::ffff:0:0:0", 96, "ipv6");

/** Within the compatible addresses, and no IPv4 address. */
const loopbackIpv6 = new BlockList();
loopbackIpv6.addAddress("::1", "ipv6");

const loopback = new BlockList();
loopback.addAddress("::1", "ipv6");
addIpv4(loopback, "127.0.0.0", 8);

/** RFC 1918, RFC 6598 (shared) and RFC 4193. */
const privateUse = new BlockList();
addIpv4(privateUse, "10.0.0.0", 8);
addIpv4(privateUse, "172.16.0.0", 12);
addIpv4(privateUse, "192.168.0.0", 16);
addIpv4(privateUse, "100.64.0.0", 10);
privateUse.addSubnet("fc00::", 7, "ipv6");

/** Kinds of addresses that an instance can have, and that a service may refuse: this machine, and private networks. */
export type RefusableAddresses = "loopback" | "private";

/** All values of {@link RefusableAddresses}. */
export const refusableAddresses: readonly unknown[] = ["loopback", "private"] satisfies readonly RefusableAddresses[];

/** The kind of an IP address that a service may refuse; `undefined` for all others. Embedded IPv4 addresses are of the kind that they have plainly. */
export function refusableKindOf(address: string): RefusableAddresses | undefined {
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  if (loopback.check(address, family)) return "loopback";
  return privateUse.check(address, family) ? "private" : undefined;
}

/**
 * Whether `address` is an IP address that an instance can have: unicast, and written plainly. Loopback and private addresses are. Unspecified,
 * multicast, broadcast, reserved and link-local addresses, the metadata services of clouds, and IPv4 embedded in IPv6 are not. The parsed
 * address decides, so that every spelling of it gives the same answer.
 */
export function isInstanceAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  // A zone index is for link-local addresses, which are refused anyway.
  if (family !== 6 || address.includes("%")) return false;
  if (refused.check(address, "ipv6")) return false;
  return !embedded.check(address, "ipv6") || loopbackIpv6.check(address, "ipv6");
}

// RFC 952 allows no underscores, but Docker Compose and Windows make names with them.
const namePattern =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;
/** Names that resolvers read as IPv4 addresses: `2852039166` and `0xa9fea9fe` are 169.254.169.254 (WHATWG URL, "ends in a number"). */
const numericEnd = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/;

/**
 * Whether `host` can be the host of an instance: an address of {@link isInstanceAddress}, or a host name that no resolver reads as an
 * address.
 */
export function isInstanceHost(host: string): boolean {
  return isIP(host) === 0 ? namePattern.test(host) && !numericEnd.test(host) : isInstanceAddress(host);
}

/** Adds a network, and the same network behind NAT64 (RFC 6052) and 6to4 (RFC 3056), which embed the address at other bits. */
function addIpv4(list: BlockList, network: string, prefix: number): void {
  list.addSubnet(network, prefix, "ipv4");
  list.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
  list.addSubnet(`2002:${hexPair(network)}::`, 16 + prefix, "ipv6");
}

function hexPair(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
