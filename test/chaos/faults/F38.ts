import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";
import { frozen } from "./frozen.ts";

/** One of five instances accepts connections, reads requests and never answers. */
export const F38 = fault({
  id: "F38",
  name: "accept-never-answer",
  minSeconds: 12,
  from: 0.2,
  to: 0.6,
  async setup(world) {
    await world.shop(4, {}, 0);
    return await world.peer(wellBehaved);
  },
  inject: (peer) => {
    peer.script = () => {};
  },
  heal: (peer) => {
    peer.script = wellBehaved;
  },
  expect: (outcome, _peer, world) => frozen(outcome, world, outcome.rps, 5),
});
