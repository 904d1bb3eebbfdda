import { atLeast, exactly, failures, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** One of five instances sends a byte of its body and then nothing for long. */
export const F43 = fault({
  id: "F43",
  name: "slow-body",
  async setup(world) {
    await world.shop(4, {}, 0);
    // The default, 30 s, is longer than the row.
    world.load = { picker: "roundRobin", mesh: { bodyIdleTimeoutMs: 1_000, breaker: false } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = ({ socket, good }) => {
      const bytes = good();
      socket.write(bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 5));
      return "slow";
    };
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const failed = failures(outcome);
    const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === "slow");
    return [
      atLeast("bodies that stopped", hit.length, 5),
      exactly("failed that were not theirs", failed.filter(({ id }) => !peer.given.has(id)).length, 0),
      exactly("of theirs that did not fail", hit.length - failed.length, 0),
      exactly("failed in another phase than the body", failed.filter(({ phase }) => phase !== "body").length, 0),
      exactly("sent again after bytes had come", outcome.figures.reexecuted, 0),
      // undici's timers are half a second coarse.
      within("until they failed", latency(failed, 1), 2_000),
    ];
  },
});
