import { startConsul } from "../../servers/consul.ts";
import { fault } from "../rig/fault.ts";
import { handlers, restartAll, restarted } from "./rolling-restart.ts";

/** Five instances that serve with `inmesh/server` and are registered in a real Consul are restarted one after another, under POSTs alone. */
export const F67 = fault({
  id: "F67",
  name: "graceful-drain",
  needs: ["consul"],
  minSeconds: 14,
  from: 0.1,
  async setup(world) {
    const consul = world.own(await startConsul());
    const registration = { kind: "consul", options: { url: consul.url } } as const;
    const instances = await world.shop(5, { registration, serve: { framework: "node" }, behaviour: handlers }, 0);
    world.load = { discovery: { kind: "consul", options: { url: consul.url } }, postShare: 1 };
    return { instances, times: [] as readonly number[] };
  },
  async inject(state) {
    state.times = await restartAll(state.instances);
  },
  expect: (outcome, { times }) => restarted(outcome, times, 1_000),
});
