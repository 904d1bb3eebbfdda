import { exactly, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly, knownLast } from "../rig/known.ts";
import { refreshMs } from "../rig/registry/eureka.ts";
import { scriptedEurekaShop } from "../rig/registry/scripted-eureka.ts";

/** Of four instances one goes out of service and the third is gone: exactly the other two are left. */
export const F23 = fault({
  id: "F23",
  name: "eureka-status-changes",
  async setup(world) {
    const instances = await world.shop(4, {}, 0);
    const shop = await scriptedEurekaShop(world, instances);
    world.load = { discovery: { kind: "eureka", options: { servers: [shop.server.url], refreshMs } } };
    return shop;
  },
  inject(shop) {
    shop.listed = shop.listed
      .filter((_, index) => index !== 2)
      .map((each, index) => (index === 0 ? { ...each, status: "OUT_OF_SERVICE" } : each));
  },
  expect: (outcome) => [
    noneFailed(outcome),
    within("known", knownExactly(outcome, ["i1", "i3"], outcome.injectedAt), refreshMs * 1.1 + 100),
    ...knownLast(outcome).map((what) => exactly("known at the end", what, "i1,i3")),
  ],
});
