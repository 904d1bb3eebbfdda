import { atLeast, atMost, ejections, exactly, latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** One of five instances answers each upload before it has read it, and reads the rest away. */
export const F147 = fault({
  id: "F147",
  name: "early-answers",
  maxRps: 40,
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", uploadBytes: 2 ** 20, postShare: 0.2, mesh: { connections: { max: 2 } } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.onUpload = ({ id, socket, begin, end }) => {
      begin();
      end();
      socket.write(`HTTP/1.1 413 Content Too Large\r\nx-id: ${id}\r\ncontent-length: 9\r\n\r\ntoo large`);
      return "refused";
    };
  },
  heal(peer) {
    peer.onUpload = undefined;
  },
  expect(outcome, peer) {
    const refused = outcome.ledger.filter(({ id }) => peer.given.get(id) === "refused");
    return [
      atLeast("uploads that were refused early", refused.length, 3),
      exactly("of which did not get their answer", refused.filter(({ status }) => status !== 413).length, 0),
      within("until they had it", latency(refused, 1), 500),
      noneFailed(outcome),
      atMost("times that an instance was taken out", ejections(outcome), 0),
    ];
  },
});
