import { atLeast, atMost, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly } from "../rig/known.ts";
import { refreshMs } from "../rig/registry/eureka.ts";
import { scriptedEurekaShop } from "../rig/registry/scripted-eureka.ts";

/** The Eureka that everybody asks takes requests and answers nothing; a second one knows more. */
export const F21 = fault({
  id: "F21",
  name: "eureka-hangs",
  minSeconds: 12,
  from: 0.15,
  async setup(world) {
    const instances = await world.shop(4, {}, 0);
    const [first, second] = [await scriptedEurekaShop(world, instances.slice(1)), await scriptedEurekaShop(world, instances)];
    world.load = { discovery: { kind: "eureka", options: { servers: [first.server.url, second.server.url], refreshMs } } };
    return { instances, first, most: 0, sampler: undefined as NodeJS.Timeout | undefined };
  },
  inject(state) {
    state.first.hangs = true;
    // A connection that is open after an answer is kept alive; one that hangs is one as well.
    state.sampler = setInterval(() => {
      state.most = Math.max(state.most, state.first.server.connections);
    }, 20);
    state.sampler.unref();
  },
  expect(outcome, { instances, most, sampler }, world) {
    clearInterval(sampler);
    const all = instances.map(({ endpoint }) => endpoint.id);
    return [
      noneFailed(outcome),
      atMost("open at the one that hangs, by client", most / world.clients.length, 1),
      atLeast("connections seen there", most, 1),
      within("the other one asked", knownExactly(outcome, all, outcome.injectedAt), 5_000 + 3 * refreshMs),
    ];
  },
});
