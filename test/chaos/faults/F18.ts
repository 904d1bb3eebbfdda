import { startConsul } from "../../servers/consul.ts";
import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { now, until } from "../rig/now.ts";

const ttlMs = 3_000;

/** The agent is restarted and has forgotten our registrations. */
export const F18 = fault({
  id: "F18",
  name: "agent-forgets-registration",
  needs: ["consul"],
  minSeconds: 12,
  from: 0.15,
  async setup(world) {
    const consul = world.own(await startConsul());
    await world.shop(5, { registration: { kind: "consul", options: { url: consul.url }, ttlMs } }, 0);
    world.load = { discovery: { kind: "consul", options: { url: consul.url } } };
    const state = { consul, visibleAfterMs: undefined as number | undefined };
    return state;
  },
  async inject(state) {
    await state.consul.restart();
    const from = now();
    await until("all have registered again", async () => {
      return ((await state.consul.get("/v1/health/service/shop?passing")) as readonly unknown[]).length === 5;
    });
    state.visibleAfterMs = now() - from;
  },
  expect: (outcome, { visibleAfterMs }) => [noneFailed(outcome), within("visible again", visibleAfterMs, ttlMs / 3 + 1_000)],
});
