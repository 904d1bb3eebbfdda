import { atMost, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { isFailed } from "../rig/reconcile.ts";

/** All instances are killed at once and come back. */
export const F37 = fault({
  id: "F37",
  name: "sigkill-all",
  minSeconds: 8,
  setup: (world) => world.shop(5, {}, 5),
  inject: async (instances) => void (await Promise.all(instances.map((instance) => instance.kill()))),
  heal: async (instances) => void (await Promise.all(instances.map((instance) => instance.restart()))),
  expect(outcome) {
    const { ledger, attempts, injectedAt, healedAt = 0 } = outcome;
    // The first ones find out.
    const during = ledger.filter(({ sentAt }) => sentAt > injectedAt + 1_000 && sentAt < healedAt - 1_000);
    const tried = attempts.filter(({ startedAt }) => startedAt > injectedAt + 1_000 && startedAt < healedAt - 1_000);
    return [
      within("an error takes (half of them)", latency(during.filter(isFailed), 0.5), 10),
      within("recovery", outcome.figures.worstRecoveryMs - (healedAt - injectedAt), 1_500),
      // Attempts that never reached a socket are not charged to the budget; they are bounded by three a request.
      atMost("attempts per request while all are gone", tried.length / Math.max(1, during.length), 3),
    ];
  },
});
