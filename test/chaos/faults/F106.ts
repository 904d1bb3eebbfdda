import { hostAndPort } from "../../../src/core/endpoint.ts";
import { within } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";

/** Every instance behind a name with a time to live of a minute moves: the old ones are killed, and the name has new addresses. */
export const F106 = fault({
  id: "F106",
  name: "dns-moves-within-its-ttl",
  minSeconds: 12,
  maxRps: 100,
  from: 0.2,
  async setup(world) {
    const shop = await dnsShop(world, 4, 2);
    shop.ttlS = 60;
    return shop;
  },
  async inject(shop) {
    const [one, two, ...others] = shop.instances;
    shop.listed = others;
    await Promise.all([one?.kill(), two?.kill()]);
  },
  expect: (outcome, { listed }) => [
    // Calls that find no instance make discovery look again; the name itself would be asked for again in a minute.
    within(
      "in sync",
      knownExactly(
        outcome,
        listed.map(({ endpoint }) => hostAndPort(endpoint)),
      ),
      2_000,
    ),
  ],
});
