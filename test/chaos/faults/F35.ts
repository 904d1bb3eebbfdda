import { atMost, failures, inRotationAgain, noneFailed, openBetween, outAfterFirstRefusal, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** One of five instances is killed and comes back. */
export const F35 = fault({
  id: "F35",
  name: "sigkill-instance",
  // Its return must have time to be late.
  minSeconds: 10,
  from: 0.15,
  to: 0.35,
  setup(world) {
    return world.shop();
  },
  inject: async ([first]) => await first?.kill(),
  heal: async ([first]) => await first?.restart(),
  expect(outcome, [first], { faulty }) {
    const inFlight = openBetween(outcome, faulty, "POST", outcome.injectedAt, first?.goneAt ?? 0);
    return [
      noneFailed(outcome, "GET"),
      atMost("POST failed, of those in flight at the kill", failures(outcome, "POST").length, inFlight.length),
      within("out of rotation after the first refusal", outAfterFirstRefusal(outcome, faulty), 50),
      within("in rotation again", inRotationAgain(outcome, faulty), 2_500),
    ];
  },
});
