import { noneFailed, within } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";

/**
 * The DNS server never answers a query for AAAA records, from the beginning, and each attempt to get one has two seconds. Meanwhile the name
 * gets other addresses.
 */
export const F111 = fault({
  id: "F111",
  name: "dns-silent-about-v6",
  minSeconds: 8,
  async setup(world) {
    const shop = await dnsShop(world, 6, 3, { timeoutMs: 2_000 });
    shop.isSilentAboutV6 = true;
    return shop;
  },
  inject(shop) {
    shop.listed = shop.instances.slice(3);
  },
  expect(outcome, { instances }) {
    const ids = instances.slice(3).map(({ endpoint: { host, port } }) => `${host}:${port}`);
    // The TTL is a second.
    return [noneFailed(outcome), within("changed", knownExactly(outcome, ids, outcome.injectedAt), 2_000)];
  },
});
