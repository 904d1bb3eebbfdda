import { fault } from "../rig/fault.ts";
import { eurekaShop, refreshMs } from "../rig/registry/eureka.ts";
import { type Departure, handlers, restartAll, restarted } from "./rolling-restart.ts";

/** This Eureka answers without a cache, and its clients fetch each 500 ms. */
const lameDuckMs = refreshMs + 500;

/** As F67, with Express, at a real Eureka. */
export const F162 = fault({
  id: "F162",
  name: "graceful-drain-express-eureka",
  needs: ["eureka"],
  minSeconds: 20,
  from: 0.1,
  async setup(world) {
    const shop = await eurekaShop(world, 5, {}, { serve: { framework: "express", lameDuckMs }, behaviour: handlers });
    world.load = { ...world.load, postShare: 1 };
    return { ...shop, times: [] as readonly Departure[] };
  },
  async inject(state) {
    state.times = await restartAll(state.instances);
  },
  expect: (outcome, { times }) => restarted(outcome, times, lameDuckMs),
});
