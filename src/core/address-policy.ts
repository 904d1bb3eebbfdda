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
  ["fd00:ec2::254", 128], // metadata, AWS
  ["fd20:ce::254", 128], // metadata, Google
  ["fd00:42::42", 128], // metadata, Scaleway
];

const refused = new BlockList();
/** IPv4 addresses embedded in IPv6, which could be written plainly: mapped (`::ffff:0:0/96`) and compatible (`::/96`, with `::`). */
const embedded = new BlockList();
for (const [network, prefix] of refusedIpv4) {
  refused.addSubnet(network, prefix, "ipv4");
  // The same network behind NAT64 (RFC 6052) and 6to4 (RFC 3056), which embed the address at other bits.
  refused.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
  refused.addSubnet(`2002:${hexPair(network)}::`, 16 + prefix, "ipv6");
}
for (const [network, prefix] of refusedIpv6) refused.addSubnet(network, prefix, "ipv6");
embedded.addSubnet("::", 96, "ipv6");
embedded.addSubnet("::ffff:0:0", 96, "ipv6");

const loopback = new BlockList();
loopback.addAddress("::1", "ipv6");

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
  return !embedded.check(address, "ipv6") || loopback.check(address, "ipv6");
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

function hexPair(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
