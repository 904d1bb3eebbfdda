import { latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** The exporter of the telemetry hangs, then throws. */
export const F72 = fault({
  id: "F72",
  name: "telemetry-exporter-fails",
  minSeconds: 8,
  async setup(world) {
    await world.shop(5, {}, 0);
    world.load = { hasTelemetry: true };
  },
  inject: async (_, { clients }) =>
    void (await Promise.all(clients.map((client) => client.ask({ type: "telemetry", fault: "hangs" }, "done")))),
  heal: async (_, { clients }) =>
    void (await Promise.all(clients.map((client) => client.ask({ type: "telemetry", fault: "throws" }, "done")))),
  expect(outcome) {
    const { injectedAt } = outcome;
    const before = latency(
      outcome.ledger.filter(({ sentAt }) => sentAt < injectedAt),
      0.95,
    );
    const after = latency(
      outcome.ledger.filter(({ sentAt }) => sentAt >= injectedAt),
      0.95,
    );
    return [noneFailed(outcome), within("p95 with a broken exporter", after, before * 1.05 + 2)];
  },
});
