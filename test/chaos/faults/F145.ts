import { atLeast, atMost, ejections, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** One of five instances resets the connection in the middle of each upload, which it may have begun to execute. */
export const F145 = fault({
  id: "F145",
  name: "uploads-cut-off",
  maxRps: 50,
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", uploadBytes: 2 ** 18 };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.onUpload = ({ socket, begin }) => {
      begin();
      socket.resetAndDestroy();
      return "cut";
    };
  },
  heal(peer) {
    peer.onUpload = undefined;
  },
  expect(outcome, peer) {
    const cut = outcome.ledger.filter(({ id }) => peer.given.get(id) === "cut");
    return [
      atLeast("uploads that were cut off", cut.length, 5),
      exactly("of which did not fail with maybeExecuted", cut.filter(({ maybeExecuted }) => maybeExecuted !== true).length, 0),
      exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
      // The server may have been right to refuse them.
      atMost("times that it was taken out", ejections(outcome), 0),
    ];
  },
});
