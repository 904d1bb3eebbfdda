import { exactly, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { refreshMs } from "../rig/registry/eureka.ts";
import { scriptedEurekaShop } from "../rig/registry/scripted-eureka.ts";

/** Eureka's deltas are wrong: their hash is that of another registry. */
export const F22 = fault({
  id: "F22",
  name: "eureka-delta-mismatch",
  async setup(world) {
    const instances = await world.shop(4, {}, 0);
    const shop = await scriptedEurekaShop(world, instances.slice(1));
    world.load = { discovery: { kind: "eureka", options: { servers: [shop.server.url], refreshMs } } };
    return { instances, shop };
  },
  inject({ shop, instances }) {
    shop.listed = instances.map((instance) => ({ instance, status: "UP" }));
  },
  expect(outcome, { shop, instances }) {
    const all = instances.map(({ endpoint }) => endpoint.id);
    return [
      noneFailed(outcome),
      within("converged", knownExactly(outcome, all, outcome.injectedAt), refreshMs * 1.1 + 100),
      // The mesh asks for the whole each time, so that there is nothing to get wrong.
      exactly("deltas asked for", shop.server.seen.filter(({ path }) => path.includes("/delta")).length, 0),
    ];
  },
});
