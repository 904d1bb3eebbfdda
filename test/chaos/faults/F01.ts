import { firstKnown, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** The Consul agent is killed under load and comes back, whereupon the instances register again. */
export const F01 = fault({
  id: "F01",
  name: "consul-sigkill",
  needs: ["consul"],
  // What follows the healing has to be longer than the limit of "in sync".
  minSeconds: 13,
  to: 0.45,
  setup: (world) => consulShop(world, 5),
  inject: async ({ consul }) => await consul.kill(),
  async heal({ consul, list, extra }) {
    await consul.restart();
    // One more than before: the clients are in sync once they know it.
    await list([extra]);
    await list();
  },
  expect: (outcome, { extra }) => [noneFailed(outcome), within("in sync", firstKnown(outcome, extra.endpoint.id), 5_000)],
});
