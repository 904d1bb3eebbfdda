import { atMost, failures, noneFailed, openBetween, outAfterFirstRefusal, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** The registry and one of five instances die at the same moment. */
export const F68 = fault({
  id: "F68",
  name: "registry-and-instance-die",
  needs: ["consul"],
  async setup(world) {
    const shop = await consulShop(world, 5);
    world.faulty = ["i0"];
    return shop;
  },
  inject: async ({ consul, instances: [first] }) => void (await Promise.all([consul.kill(), first?.kill()])),
  expect(outcome, { instances: [first] }, { faulty }) {
    const inFlight = openBetween(outcome, faulty, "POST", outcome.injectedAt, first?.goneAt ?? 0);
    return [
      noneFailed(outcome, "GET"),
      atMost("POST failed, of those in flight at the kill", failures(outcome, "POST").length, inFlight.length),
      within("out of rotation after the first refusal", outAfterFirstRefusal(outcome, faulty), 50),
    ];
  },
});
