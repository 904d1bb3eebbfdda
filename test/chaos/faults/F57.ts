import { noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { pause } from "../rig/now.ts";

/** Each of five HTTP/2 instances closes its connections gracefully, one after the other, and goes on serving new ones. */
export const F57 = fault({
  id: "F57",
  name: "h2-graceful-goaway",
  async setup(world) {
    const instances = await world.shop(5, { protocol: "h2c" }, 0);
    world.load = { mesh: { protocol: "h2" } };
    return instances;
  },
  async inject(instances) {
    for (const instance of instances) {
      await instance.order({ type: "goaway" });
      await pause(300);
    }
  },
  expect: (outcome) => [noneFailed(outcome)],
});
