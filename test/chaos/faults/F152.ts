import { atLeast, atMost, ejections, heapGrown, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** With each call come five to services that do not exist, each of another name. */
export const F152 = fault({
  id: "F152",
  name: "invented-names",
  async setup(world) {
    world.load = { inventsPerCall: 5, hasMetrics: false };
    return await world.shop(4, {}, 0);
  },
  inject: () => {},
  expect: (outcome, _state, world) => [
    atLeast("calls", outcome.ledger.length, 100),
    noneFailed(outcome),
    atMost("times that an instance was taken out", ejections(outcome), 0),
    heapGrown(outcome, world, 20),
  ],
});
