import { inRotationAgain, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { frozen } from "./frozen.ts";

/** One of five HTTP/2 instances stands still. */
export const F59 = fault({
  id: "F59",
  name: "h2-sigstop",
  minSeconds: 20,
  from: 0.1,
  to: 0.3,
  async setup(world) {
    const instances = await world.shop(5, { protocol: "h2c" });
    world.load = { mesh: { protocol: "h2" } };
    return instances;
  },
  inject: ([first]) => first?.freeze(),
  heal: ([first]) => first?.thaw(),
  expect: (outcome, instances, world) => [
    ...frozen(outcome, world, outcome.rps, instances.length),
    within("in rotation again", inRotationAgain(outcome, world.faulty), 6_000),
  ],
});
