import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import { type Departure, handlers, restartAll, restarted } from "./rolling-restart.ts";

/** The time to live of the name, a second, and one more. */
const lameDuckMs = 2_000;

/** As F67, behind a name whose zone is changed as soon as an instance says that it is not ready any more, and when it is again. */
export const F163 = fault({
  id: "F163",
  name: "graceful-drain-dns",
  minSeconds: 22,
  from: 0.1,
  async setup(world) {
    const shop = await dnsShop(world, 5, 5, {}, { serve: { framework: "node", lameDuckMs }, behaviour: handlers });
    world.load = { ...world.load, postShare: 1 };
    return { shop, times: [] as readonly Departure[] };
  },
  async inject(state) {
    const { shop } = state;
    state.times = await restartAll(
      shop.instances,
      (leaving) => {
        shop.listed = shop.listed.filter((instance) => instance !== leaving);
      },
      (back) => {
        shop.listed = [...shop.listed, back];
      },
    );
  },
  expect: (outcome, { times }) => restarted(outcome, times, lameDuckMs),
});
