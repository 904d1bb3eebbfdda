import { startToxiproxy } from "../../servers/toxiproxy.ts";
import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

const waitMs = 2_000;

/** The network between client and Consul swallows every byte in the middle of blocking queries, and nobody closes a connection. */
export const F12 = fault({
  id: "F12",
  name: "consul-partition",
  needs: ["consul", "toxiproxy"],
  minSeconds: 22,
  from: 0.15,
  to: 0.75,
  async setup(world) {
    const shop = await consulShop(world, 5);
    const proxy = world.own(await startToxiproxy());
    const link = await proxy.link(`${shop.consul.host}:${shop.consul.port}`);
    world.load = { discovery: { kind: "consul", options: { url: `http://${link.host}:${link.port}`, waitMs } } };
    return { ...shop, link };
  },
  async inject({ link }) {
    await link.poison({ type: "timeout", attributes: { timeout: 0 } });
    await link.poison({ type: "timeout", stream: "upstream", attributes: { timeout: 0 } });
  },
  async heal({ link, list, instances, extra }) {
    await link.heal();
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
