import { atLeast, atMost, latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** One of ten instances answers each GET with a 503 whose body never comes to its end: the retry drops the answer. */
export const F142 = fault({
  id: "F142",
  name: "dropped-answers-without-end",
  async setup(world) {
    await world.shop(9, {}, 0);
    // Not taken out, so that there are more and more of them.
    world.load = { picker: "roundRobin", mesh: { breaker: false, connections: { max: 8 } } };
    return { peer: await world.peer(wellBehaved), most: 0 };
  },
  inject(state) {
    state.peer.script = (request) => {
      if (request.method !== "GET") return wellBehaved(request);
      state.most = Math.max(state.most, state.peer.connections);
      request.end();
      request.socket.write(`HTTP/1.1 503 No\r\nx-id: ${request.id}\r\ncontent-length: 100\r\n\r\nhalf`);
      return "dropped";
    };
  },
  heal({ peer }) {
    peer.script = wellBehaved;
  },
  expect(outcome, { peer, most }, { clients }) {
    const dropped = [...peer.given.values()].filter((variant) => variant === "dropped").length;
    return [
      noneFailed(outcome),
      atLeast("answers that were dropped", dropped, 10),
      atMost("connections to it", most, 8 * clients.length),
      // An answer is read for a quarter of a second at most.
      within("added latency", latency(outcome.ledger, 1), 1_500),
    ];
  },
});
