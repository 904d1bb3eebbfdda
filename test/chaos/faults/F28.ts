import { atLeast, atMost, noneFailed } from "../rig/claims.ts";
import { dnsShop, rcodes } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { churn } from "../rig/known.ts";

/** The DNS server says every second time that there is no such name. */
export const F28 = fault({
  id: "F28",
  name: "dns-nxdomain-flaps",
  minSeconds: 8,
  from: 0.1,
  setup: (world) => dnsShop(world, 4),
  inject(shop) {
    shop.script = (number) => (number % 2 === 0 ? { rcode: rcodes.nxdomain } : undefined);
  },
  expect: (outcome, { asked }) => [
    noneFailed(outcome),
    atMost("changes of the endpoints", churn(outcome), 0),
    atLeast("questions meanwhile", asked.filter((at) => at > outcome.injectedAt).length, 2),
  ],
});
