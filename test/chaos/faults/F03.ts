import { holds } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly, knownLast } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** Consul is restarted without its data and the instances are gone for good: after a while that is believed. */
export const F03 = fault({
  id: "F03",
  name: "consul-loses-data-for-good",
  needs: ["consul"],
  minSeconds: 65,
  maxRps: 50,
  from: 0.05,
  setup: (world) => consulShop(world, 3),
  async inject({ consul, instances, extra }) {
    await consul.restart();
    await Promise.all([...instances, extra].map((instance) => instance.kill()));
  },
  expect(outcome) {
    const empty = knownExactly(outcome, [], outcome.injectedAt);
    const codes = new Set(outcome.ledger.filter(({ sentAt }) => sentAt > outcome.injectedAt + (empty ?? 0)).map(({ error }) => error));
    return [
      holds(`empty after ${Math.round(empty ?? Number.NaN)} ms, must be within 60000 ms`, empty !== undefined && empty <= 60_000),
      holds(
        `known at the end: ${JSON.stringify(knownLast(outcome))}, must be nothing`,
        knownLast(outcome).every((what) => what === ""),
      ),
      holds(`errors then: ${[...codes].join()}, must be ERR_MESH_NO_ENDPOINTS`, codes.has("ERR_MESH_NO_ENDPOINTS")),
    ];
  },
});
