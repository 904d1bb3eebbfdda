import { atLeast, atMost, ejections, exactly, failures, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** One of five instances sends the heads of its answers and never a byte of their bodies. The deadline is what ends the calls. */
export const F141 = fault({
  id: "F141",
  name: "head-and-then-nothing",
  from: 0.2,
  to: 0.9,
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { timeoutMs: 1_000 } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = ({ socket, good }) => {
      const bytes = good();
      socket.write(bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4));
      return "silent";
    };
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === "silent");
    const turns = (0.7 * outcome.seconds * outcome.rps) / 5;
    return [
      atLeast("bodies that never came", hit.length, 5),
      // Its turns of a second, until the first deadlines have passed, and a few probes.
      atMost("calls that went there", hit.length, turns / 2),
      atLeast("times that it was taken out", ejections(outcome), 1),
      exactly("failed that were not theirs", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
      noneFailed({ ...outcome, ledger: outcome.ledger.filter(({ id }) => peer.given.get(id) !== "silent") }),
    ];
  },
});
