import { atLeast, atMost, ejections, latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** One of five HTTP/2 instances closes every connection at its first stream, which it says it has not processed. */
export const F56 = fault({
  id: "F56",
  name: "h2-goaway-storm",
  extraAttempts: 0.3,
  async setup(world) {
    await world.shop(4, { protocol: "h2c" }, 0);
    const peer = await world.h2Peer((request) => {
      request.answer();
      return "good";
    });
    world.load = { picker: "roundRobin", mesh: { protocol: "h2" } };
    return peer;
  },
  inject(peer) {
    peer.script = (request) => {
      request.goaway(0);
      setTimeout(() => request.hangUp(), 5);
      return "goaway";
    };
  },
  expect(outcome, peer, world) {
    const hit = outcome.attempts.filter(({ upstream, startedAt }) => upstream === peer.endpoint.id && startedAt >= outcome.injectedAt);
    const seen = outcome.journal.filter(({ event, instance }) => event === "refuse" && instance === peer.endpoint.id);
    return [
      noneFailed(outcome, "GET"),
      atMost("streams by attempt", seen.length / Math.max(1, hit.length), 2),
      atLeast("ejections", ejections(outcome), world.clients.length),
      within("the slowest call", latency(outcome.ledger, 1), 1_000),
      // 20 % of a processor beside what the load itself takes, which is far less.
      atMost("CPU of the clients, of one processor", (outcome.after.cpuMs - outcome.before.cpuMs) / (outcome.seconds * 1_000), 1),
    ];
  },
});
