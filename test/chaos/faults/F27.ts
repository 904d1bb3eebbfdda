import { atMost, noneFailed } from "../rig/claims.ts";
import { dnsShop, rcodes } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";

/** The DNS server answers SERVFAIL. */
export const F27 = fault({
  id: "F27",
  name: "dns-servfail",
  setup: (world) => dnsShop(world, 4),
  inject(shop) {
    shop.script = () => ({ rcode: rcodes.servfail });
  },
  expect: (outcome) => [noneFailed(outcome), atMost("changes of the endpoints", churn(outcome), 0)],
});
