import { noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { consulShop } from "../rig/registry/consul.ts";

/** One of five instances is put into maintenance and taken out again. */
export const F15 = fault({
  id: "F15",
  name: "consul-maintenance",
  needs: ["consul"],
  async setup(world) {
    const shop = await consulShop(world, 5);
    world.faulty = ["i0"];
    return shop;
  },
  inject: async ({ consul }) => await consul.setMaintenance("i0", true),
  heal: async ({ consul }) => await consul.setMaintenance("i0", false),
  expect: (outcome) => [
    noneFailed(outcome),
    within("out of rotation", outcome.figures.outOfRotationMs, 500),
    within("back", outcome.figures.backMs, 500),
  ],
});
