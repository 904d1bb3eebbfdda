import { atLeast, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownLast, leastKnown } from "../rig/known.ts";
import { now, until } from "../rig/now.ts";
import { eurekaShop } from "../rig/registry/eureka.ts";

/** Eureka is restarted empty; the instances learn of it from a 404 and register again. */
export const F20 = fault({
  id: "F20",
  name: "eureka-restarted-empty",
  needs: ["eureka"],
  minSeconds: 12,
  from: 0.15,
  setup: async (world) => ({ ...(await eurekaShop(world, 4)), registeredAfterMs: undefined as number | undefined }),
  async inject(state) {
    await state.eureka.restart();
    const from = now();
    await until("all have registered again", async () => {
      const answer = (await state.eureka.get("/apps/shop").catch(() => undefined)) as
        | { application?: { instance?: unknown[] } }
        | undefined;
      return answer?.application?.instance?.length === 4;
    });
    state.registeredAfterMs = now() - from;
  },
  expect: (outcome, { registeredAfterMs }) => [
    noneFailed(outcome),
    // An answer with half of them is believed: the first one after the restart may have as many already.
    atLeast("fewest endpoints known", leastKnown(outcome), 2),
    atLeast("endpoints known at the end", Math.min(...knownLast(outcome).map((what) => what.split(",").length)), 4),
    within("registered again", registeredAfterMs, 2_000),
  ],
});
