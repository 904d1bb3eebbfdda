import { BlockList, isIP } from "node:net";

const refused = new BlockList();
// "This network" with the unspecified address, link-local with the metadata service of clouds, multicast, reserved with broadcast.
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  refused.addSubnet(network, prefix, "ipv4");
  // The same behind NAT64 (RFC 6052).
  refused.addSubnet(`64:ff9b::${network}`, 96 + prefix, "ipv6");
}
for (const [network, prefix] of [
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128],
] as const) {
  refused.addSubnet(network, prefix, "ipv6");
}
const loopback = "::1";
const embedded = new BlockList();
// The deprecated IPv4-compatible addresses (RFC 4291 §2.5.5.1) with `::`. IPv4-mapped ones match by their text below.
embedded.addSubnet("::", 96, "ipv6");

/**
 * Whether `address` can be an instance's: unicast and written plainly. Unspecified, multicast, broadcast, reserved and
 * link-local addresses are refused, and so is IPv4 dressed as IPv6; loopback and private ones are fine.
 */
export function isInstanceAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !refused.check(address, "ipv4");
  if (family !== 6 || address.includes("%") || /^::ffff:/i.test(address)) return false;
  return !refused.check(address, "ipv6") && (address === loopback || !embedded.check(address, "ipv6"));
}
