import { atLeast, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import type { H2Request } from "../rig/h2raw.ts";

/** One of five HTTP/2 instances allows no stream for a while: what waits for one is given up, and must not come later. */
export const F122 = fault({
  id: "F122",
  name: "h2-streams-withheld",
  async setup(world) {
    await world.shop(4, { protocol: "h2c" }, 0);
    const peer = await world.h2Peer((request: H2Request) => {
      request.answer();
      return "answered";
    });
    world.load = { picker: "roundRobin", mesh: { protocol: "h2", attemptTimeoutMs: 800 } };
    return peer;
  },
  inject: (peer) => peer.allow(0),
  heal: (peer) => peer.allow(100),
  expect(outcome, peer) {
    const settledAt = new Map(outcome.ledger.map(({ id, settledAt: at }) => [id, at ?? Number.POSITIVE_INFINITY]));
    const tooLate = peer.journal.filter(
      ({ event, id, method, at }) => event === "begin" && method === "POST" && at > (settledAt.get(id) ?? 0) + 20,
    );
    const waited = outcome.attempts.filter(
      ({ upstream, phase, code }) => upstream === peer.endpoint.id && phase === "connect" && code !== undefined,
    );
    return [
      atLeast("attempts that were given up while they waited for a stream", waited.length, 2),
      // None of them was sent, so every one may be sent elsewhere.
      exactly("requests that failed", failures(outcome).length, 0),
      exactly("POSTs that were executed after the caller had been told", tooLate.length, 0),
    ];
  },
});
