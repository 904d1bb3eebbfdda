import { inRotationAgain, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { frozen } from "./frozen.ts";

/** One of five instances stands still for a while: the kernel accepts connections for it, nothing is answered. */
export const F36 = fault({
  id: "F36",
  name: "sigstop-instance",
  // Its return must have time to be late.
  minSeconds: 20,
  from: 0.1,
  to: 0.3,
  setup: (world) => world.shop(),
  inject: ([first]) => first?.freeze(),
  heal: ([first]) => first?.thaw(),
  expect: (outcome, instances, world) => [
    ...frozen(outcome, world, outcome.rps, instances.length),
    // A probe that was under way may still have to time out before the next one is due, at most four seconds later.
    within("in rotation again", inRotationAgain(outcome, world.faulty), 6_000),
  ],
});
