import { atLeast, firstKnown, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { leastKnown } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** Consul is restarted without its data; the instances register again after a while. */
export const F02 = fault({
  id: "F02",
  name: "consul-loses-data",
  needs: ["consul"],
  minSeconds: 12,
  from: 0.15,
  to: 0.55,
  setup: (world) => consulShop(world, 5),
  inject: async ({ consul }) => await consul.restart(),
  heal: async ({ list, extra, instances }) => await list([...instances, extra]),
  expect: (outcome, { extra }) => [
    noneFailed(outcome),
    // While they register again one by one, an answer with most of them is believed; an emptier one is not.
    atLeast("fewest endpoints known", leastKnown(outcome), 3),
    within("in sync", firstKnown(outcome, extra.endpoint.id), 5_000),
  ],
});
