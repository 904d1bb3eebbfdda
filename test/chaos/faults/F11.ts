import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

const waitMs = 2_000;

/** The Consul agent stands still in the middle of blocking queries. */
export const F11 = fault({
  id: "F11",
  name: "consul-sigstop",
  needs: ["consul"],
  minSeconds: 22,
  from: 0.15,
  to: 0.75,
  setup: (world) => consulShop(world, 5, { waitMs }),
  inject: ({ consul }) => consul.pause(),
  async heal({ consul, list, instances, extra }) {
    consul.resume();
    await list([...instances, extra]);
  },
  expect(outcome, { instances, extra }) {
    const noticed = outcome.events
      .filter(({ kind, at }) => kind === "discovery-error" && at > outcome.injectedAt)
      .map(({ at }) => at - outcome.injectedAt);
    return [
      noneFailed(outcome),
      within("noticed", noticed.length === 0 ? undefined : Math.min(...noticed), waitMs + waitMs / 16 + 5_000),
      within(
        "in sync",
        knownExactly(
          outcome,
          [...instances, extra].map(({ endpoint }) => endpoint.id),
        ),
        5_000,
      ),
    ];
  },
});
