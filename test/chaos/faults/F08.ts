import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** Consul, or something before it, answers 400 once. */
export const F08 = fault({
  id: "F08",
  name: "consul-400-once",
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    const told = new Set<unknown>();
    shop.script = (asked) => {
      if (told.size >= 2) return undefined;
      told.add(asked);
      return { status: 400, body: "bad request" };
    };
    shop.wake();
    setTimeout(() => {
      shop.script = undefined;
    }, 300);
  },
  heal: (shop) => shop.list([...shop.instances, shop.extra]),
  expect: (outcome, { instances, extra }) => [
    noneFailed(outcome),
    within(
      "the update after it seen",
      knownExactly(
        outcome,
        [...instances, extra].map(({ endpoint }) => endpoint.id),
      ),
      1_000,
    ),
  ],
});
