import { setTimeout as pause } from "node:timers/promises";
import { startToxiproxy } from "../../servers/toxiproxy.ts";
import { atLeast, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { consulShop } from "../rig/registry/consul.ts";

const refreshAfterMs = 500;
/** The pause after a failure is 5 s at most, and a question that the link has swallowed is given up after 5 s. */
const inSyncMs = 12_000;

/** Clients that ask as they call (`watch: "on-use"`) have a link to Consul that swallows everything, breaks, and comes back, again and again. */
export const F165 = fault({
  id: "F165",
  name: "flaky-uplink-on-use",
  needs: ["consul", "toxiproxy"],
  minSeconds: 24,
  clients: 2,
  from: 0.1,
  to: 0.5,
  async setup(world) {
    const shop = await consulShop(world, 5);
    const proxy = world.own(await startToxiproxy());
    const link = await proxy.link(`${shop.consul.host}:${shop.consul.port}`);
    world.load = {
      discovery: { kind: "consul", options: { url: `http://${link.host}:${link.port}`, requestTimeoutMs: 2_000 } },
      mesh: { watch: "on-use", refreshAfterMs },
    };
    return { ...shop, link };
  },
  async inject({ link }) {
    for (let round = 0; round < 3; round++) {
      await link.poison({ type: "timeout", attributes: { timeout: 0 } });
      await pause(1_000);
      await link.heal();
      await pause(700);
      await link.poison({ type: "reset_peer", attributes: { timeout: 0 } });
      await pause(1_000);
      await link.heal();
      await pause(300);
    }
    await link.poison({ type: "timeout", attributes: { timeout: 0 } });
  },
  async heal({ link, list, instances, extra }) {
    await link.heal();
    await list([...instances, extra]);
  },
  expect(outcome, { instances, extra }) {
    const ids = [...instances, extra].map(({ endpoint }) => endpoint.id);
    return [
      noneFailed(outcome),
      atLeast("errors of discovery seen", outcome.events.filter(({ kind }) => kind === "discovery-error").length, 1),
      within("in sync", knownExactly(outcome, ids), inSyncMs),
    ];
  },
});
