import { hostAndPort } from "../../../src/core/endpoint.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { scaledIn, staying } from "./scaled-in.ts";

/** Six of eight addresses leave a name at once; the instances behind them go on. */
export const F104 = fault({
  id: "F104",
  name: "dns-scaled-in",
  minSeconds: 10,
  from: 0.2,
  setup: (world) => dnsShop(world, 8),
  inject(shop) {
    shop.listed = shop.instances.slice(0, staying);
  },
  // Its time to live is a second, and the answer has to be seen twice.
  expect: (outcome, { instances }) =>
    scaledIn(
      outcome,
      instances.map(({ endpoint }) => hostAndPort(endpoint)),
      2_000,
    ),
});
