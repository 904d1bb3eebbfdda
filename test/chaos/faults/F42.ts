import { exactly, failures, latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** One of five instances takes longer than the attempt timeout for one request in twenty. */
export const F42 = fault({
  id: "F42",
  name: "slow-headers",
  minSeconds: 8,
  setup(world) {
    world.load = { picker: "roundRobin" };
    return world.shop();
  },
  inject: async ([first]) => await first?.order({ type: "behave", behaviour: { slowShare: 0.05, slowMs: 3_000 } }),
  heal: async ([first]) => await first?.order({ type: "behave", behaviour: {} }),
  expect(outcome, _instances, { faulty }) {
    const slow = new Set(
      outcome.attempts.filter(({ upstream, code }) => faulty.includes(upstream) && code === "ERR_MESH_TIMEOUT").map(({ id }) => id),
    );
    const posts = failures(outcome, "POST");
    return [
      noneFailed(outcome, "GET"),
      exactly("POSTs failed that were not slow", posts.filter(({ id }) => !slow.has(id)).length, 0),
      exactly("POSTs failed without maybeExecuted", posts.filter(({ maybeExecuted }) => maybeExecuted !== true).length, 0),
      within("slowest call", latency(outcome.ledger, 1), 2_300),
      within(
        "p99 of the others",
        latency(
          outcome.ledger.filter(({ id }) => !slow.has(id)),
          0.99,
        ),
        200,
      ),
    ];
  },
});
