import { atLeast, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Servers close idle connections after a second, which is about when the next request would use them. */
export const F49 = fault({
  id: "F49",
  name: "keep-alive-race",
  minSeconds: 10,
  maxRps: 10,
  clients: 1,
  setup: async (world) => {
    await world.shop(5, { keepAliveMs: 1_000 }, 0);
    // Half of them are asked again after a second, half after two hundred milliseconds.
    await world.shop(5, { keepAliveMs: 200 }, 0);
    world.load = { postShare: 1 };
  },
  inject: () => {},
  expect: (outcome) => [noneFailed(outcome), atLeast("sent", outcome.ledger.length, 50)],
});
