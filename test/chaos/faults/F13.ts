import { startToxiproxy } from "../../servers/toxiproxy.ts";
import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** Consul takes three seconds for an answer, of which 20 KiB come in a second. */
export const F13 = fault({
  id: "F13",
  name: "consul-slow",
  needs: ["consul", "toxiproxy"],
  minSeconds: 12,
  from: 0.15,
  to: 0.4,
  async setup(world) {
    const shop = await consulShop(world, 5);
    const proxy = world.own(await startToxiproxy());
    const link = await proxy.link(`${shop.consul.host}:${shop.consul.port}`);
    world.load = { discovery: { kind: "consul", options: { url: `http://${link.host}:${link.port}` } } };
    return { ...shop, link };
  },
  async inject({ link }) {
    await link.poison({ type: "latency", attributes: { latency: 3_000 } });
    await link.poison({ type: "bandwidth", attributes: { rate: 20 } });
  },
  // Still slow: the change has to come through nevertheless.
  heal: async ({ list, instances, extra }) => await list([...instances, extra]),
  expect: (outcome, { instances, extra }) => [
    noneFailed(outcome),
    within(
      "a change seen",
      knownExactly(
        outcome,
        [...instances, extra].map(({ endpoint }) => endpoint.id),
      ),
      4_000,
    ),
  ],
});
