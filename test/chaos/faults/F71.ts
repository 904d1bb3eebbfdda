import { atLeast, atMost, ejections, exactly, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Callers give up three calls in ten, at any time. */
export const F71 = fault({
  id: "F71",
  name: "callers-abort",
  async setup(world) {
    const instances = await world.shop(5, { behaviour: { delayMs: 10 } }, 0);
    world.load = { abortShare: 0.3 };
    return instances;
  },
  inject: () => {},
  expect: (outcome, instances, world) => [
    noneFailed(outcome),
    atLeast("given up", outcome.figures.aborted, 20),
    exactly("ejections", ejections(outcome), 0),
    // A connection to each instance for each of the few calls that are under way at a time.
    atMost("descriptors more than before", outcome.after.fds - outcome.before.fds, 10 * instances.length * world.clients.length),
  ],
});
