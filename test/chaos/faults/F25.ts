import { atLeast, atMost, failures, noneFailed, openBetween } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownLast } from "../rig/known.ts";
import { eurekaShop } from "../rig/registry/eureka.ts";

/** Three of five instances are killed at once; Eureka, which preserves itself, goes on listing them. */
export const F25 = fault({
  id: "F25",
  name: "eureka-self-preservation",
  needs: ["eureka"],
  async setup(world) {
    const shop = await eurekaShop(world, 5, { selfPreservation: true });
    world.faulty = ["i0", "i1", "i2"];
    return shop.instances;
  },
  inject: async (instances) => void (await Promise.all(instances.slice(0, 3).map((instance) => instance.kill()))),
  expect(outcome, instances, { faulty }) {
    const gone = Math.max(...instances.map(({ goneAt = 0 }) => goneAt));
    return [
      noneFailed(outcome, "GET"),
      atMost(
        "POST failed, of those in flight at the kill",
        failures(outcome, "POST").length,
        openBetween(outcome, faulty, "POST", outcome.injectedAt, gone).length,
      ),
      atLeast("still listed", Math.min(...knownLast(outcome).map((what) => what.split(",").length)), 5),
    ];
  },
});
