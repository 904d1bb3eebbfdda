import { atLeast, atMost, ejections, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Every third call is made for a caller that waits two milliseconds, which is less than an instance takes. */
export const F144 = fault({
  id: "F144",
  name: "tiny-deadlines-from-outside",
  async setup(world) {
    world.load = { hurriedEvery: 3 };
    return await world.shop(5, { behaviour: { delayMs: 5 } }, 0);
  },
  inject: () => {},
  expect(outcome) {
    const failed = failures(outcome);
    return [
      atLeast("calls without time", failed.length, outcome.ledger.length / 10),
      // Those and no others.
      atMost("calls that failed", failed.length, Math.ceil(outcome.ledger.length / 3) + 2),
      exactly("failed by anything but the deadline", failed.filter(({ error }) => error !== "ERR_MESH_TIMEOUT").length, 0),
      atMost("times that an instance was taken out", ejections(outcome), 0),
    ];
  },
});
