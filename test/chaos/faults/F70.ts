import { atMost, exactly, failures, inRotationAgain, noneFailed, openBetween, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Every instance of the preferred zone is killed and comes back; those of the other zone have a higher priority number. */
export const F70 = fault({
  id: "F70",
  name: "zone-dies",
  // Its return must have time to be late.
  minSeconds: 14,
  from: 0.15,
  to: 0.35,
  async setup(world) {
    const local = await world.shop(3, {}, 3);
    const remote = await world.shop(3, {}, 0);
    const endpoints = [
      ...local.map(({ endpoint }) => ({ ...endpoint, zone: "here", priority: 0 })),
      ...remote.map(({ endpoint }) => ({ ...endpoint, zone: "there", priority: 1 })),
    ];
    world.load = { discovery: { kind: "static", endpoints } };
    return local;
  },
  inject: async (local) => void (await Promise.all(local.map((instance) => instance.kill()))),
  heal: async (local) => void (await Promise.all(local.map((instance) => instance.restart()))),
  expect(outcome, local, { faulty }) {
    const { injectedAt } = outcome;
    const gone = Math.max(...local.map(({ goneAt = 0 }) => goneAt));
    const remote = outcome.attempts.filter(({ upstream }) => !faulty.includes(upstream));
    const over = remote.find(({ startedAt, isFailed }) => startedAt >= injectedAt && isFailed === false);
    return [
      exactly("attempts in the other zone before", remote.filter(({ startedAt }) => startedAt < injectedAt).length, 0),
      noneFailed(outcome, "GET"),
      atMost(
        "POST failed, of those in flight at the kill",
        failures(outcome, "POST").length,
        openBetween(outcome, faulty, "POST", injectedAt, gone).length,
      ),
      within("failover", over === undefined ? undefined : over.startedAt - injectedAt, 100),
      within("in rotation again", inRotationAgain(outcome, faulty), 5_000),
    ];
  },
});
