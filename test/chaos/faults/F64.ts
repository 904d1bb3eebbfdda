import { atLeast, ejections, exactly, failures, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** The client runs out of file descriptors because its instances are slow, and has enough again. */
export const F64 = fault({
  id: "F64",
  name: "fd-exhaustion",
  needs: ["prlimit"],
  minSeconds: 8,
  clients: 1,
  async setup(world) {
    const instances = await world.shop(5, {}, 0);
    world.load = { prefix: ["prlimit", "--nofile=64", "--"] };
    return instances;
  },
  inject: async (instances) =>
    void (await Promise.all(instances.map((each) => each.order({ type: "behave", behaviour: { delayMs: 1_500 } })))),
  heal: async (instances) => void (await Promise.all(instances.map((each) => each.order({ type: "behave", behaviour: {} })))),
  expect(outcome) {
    const failed = failures(outcome);
    const { healedAt = 0, injectedAt } = outcome;
    return [
      atLeast("failed for want of descriptors", failed.filter(({ error }) => error === "ERR_MESH_LOCAL_RESOURCE").length, 5),
      exactly("failed otherwise", failed.filter(({ error }) => error !== "ERR_MESH_LOCAL_RESOURCE").length, 0),
      exactly("ejections", ejections(outcome), 0),
      within("recovery", outcome.figures.worstRecoveryMs - (healedAt - injectedAt), 2_000),
    ];
  },
});
