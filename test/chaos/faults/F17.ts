import { startConsul } from "../../servers/consul.ts";
import { noneFailed, outAfterFirstFailure, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { until } from "../rig/now.ts";

/** One of five instances that register themselves stands still: its heartbeat stops, and so do its answers, which is noticed sooner. */
export const F17 = fault({
  id: "F17",
  name: "heartbeat-stops",
  needs: ["consul"],
  minSeconds: 14,
  from: 0.15,
  async setup(world) {
    const consul = world.own(await startConsul());
    const instances = await world.shop(5, { registration: { kind: "consul", options: { url: consul.url }, ttlMs: 5_000 } });
    await until("all are passing", async () => ((await consul.get("/v1/health/service/shop?passing")) as readonly unknown[]).length === 5);
    world.load = { discovery: { kind: "consul", options: { url: consul.url } } };
    return instances;
  },
  inject: ([first]) => first?.freeze(),
  expect: (outcome, _instances, { faulty }) => [
    noneFailed(outcome, "GET"),
    within("out of rotation after the first timeout", outAfterFirstFailure(outcome, faulty), 50 + 5 * (1_000 / (outcome.rps / 5))),
  ],
});
