import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** Consul's index goes backwards; afterwards an instance is added. */
export const F04 = fault({
  id: "F04",
  name: "consul-index-backwards",
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    shop.index = 50;
    shop.wake();
  },
  heal: (shop) => shop.list([...shop.instances, shop.extra]),
  expect: (outcome, { instances, extra }) => [
    noneFailed(outcome),
    within(
      "the next change seen",
      knownExactly(
        outcome,
        [...instances, extra].map(({ endpoint }) => endpoint.id),
      ),
      250,
    ),
  ],
});
