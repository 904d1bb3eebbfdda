import { atMost, noneFailed } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";

/** The DNS server gives two of six addresses by UDP, other ones each time, and all by TCP, as Consul's does with many instances. */
export const F112 = fault({
  id: "F112",
  name: "dns-shows-a-part-by-udp",
  setup: (world) => dnsShop(world, 6),
  inject(shop) {
    shop.shownByUdp = 2;
  },
  expect: (outcome) => [noneFailed(outcome), atMost("changes of the endpoints", churn(outcome), 0)],
});
