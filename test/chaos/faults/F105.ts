import { atMost, holds, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** Every instance is put into maintenance, and taken out of it again. */
export const F105 = fault({
  id: "F105",
  name: "consul-all-in-maintenance",
  needs: ["consul"],
  minSeconds: 10,
  maxRps: 50,
  from: 0.2,
  to: 0.7,
  setup: (world) => consulShop(world, 4),
  async inject({ consul, instances }) {
    await Promise.all(instances.map(({ endpoint }) => consul.setMaintenance(endpoint.id, true)));
  },
  async heal({ consul, instances }) {
    await Promise.all(instances.map(({ endpoint }) => consul.setMaintenance(endpoint.id, false)));
  },
  expect(outcome, { instances }) {
    const { injectedAt, healedAt = Number.POSITIVE_INFINITY, attempts, ledger, lagMs } = outcome;
    const from = injectedAt + 1_000 + lagMs;
    const during = attempts.filter(({ startedAt }) => startedAt > from && startedAt < healedAt);
    const codes = new Set(ledger.filter(({ sentAt }) => sentAt > from && sentAt < healedAt - lagMs - 100).map(({ error }) => error));
    return [
      atMost("attempts meanwhile", during.length, 0),
      holds(`errors meanwhile: ${[...codes].join()}, must be ERR_MESH_NO_ENDPOINTS`, [...codes].join() === "ERR_MESH_NO_ENDPOINTS"),
      within("without endpoints", knownExactly(outcome, [], injectedAt), 1_000),
      within(
        "back",
        knownExactly(
          outcome,
          instances.map(({ endpoint }) => endpoint.id),
        ),
        1_000,
      ),
    ];
  },
});
