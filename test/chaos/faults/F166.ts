import { atLeast, exactly, inRotationAgain, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Every instance within the boundary of the service is killed and comes back; those of the other region are well all the time. */
export const F166 = fault({
  id: "F166",
  name: "region-dies-within-boundary",
  minSeconds: 14,
  from: 0.2,
  to: 0.4,
  async setup(world) {
    const local = await world.shop(3, {}, 3);
    const remote = await world.shop(3, {}, 0);
    const endpoints = [
      ...local.map(({ endpoint }) => ({ ...endpoint, region: "eu-west-1" })),
      ...remote.map(({ endpoint }) => ({ ...endpoint, region: "us-east-1" })),
    ];
    world.load = { discovery: { kind: "static", endpoints }, mesh: { boundary: { region: ["eu-*"] } } };
    return { local, remote };
  },
  inject: async ({ local }) => void (await Promise.all(local.map((instance) => instance.kill()))),
  heal: async ({ local }) => void (await Promise.all(local.map((instance) => instance.restart()))),
  expect(outcome, { remote }, { faulty }) {
    const outside = new Set(remote.map(({ endpoint }) => endpoint.id));
    return [
      exactly("attempts outside of the boundary", outcome.attempts.filter(({ upstream = "" }) => outside.has(upstream)).length, 0),
      atLeast("attempts inside", outcome.attempts.length, 100),
      within("in rotation again", inRotationAgain(outcome, faulty), 5_000),
    ];
  },
});
