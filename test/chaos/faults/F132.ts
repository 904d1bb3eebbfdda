import { atLeast, atMost, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const failing: RawScript = (request) => {
  if (request.head.startsWith("GET /health ")) request.socket.write("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
  else wellBehaved(request);
};

/** One of four instances fails its health checks, and waits for its connections to close, which it would keep for long itself. */
export const F132 = fault({
  id: "F132",
  name: "connections-of-what-is-out",
  from: 0.3,
  to: 0.7,
  async setup(world) {
    await world.shop(3, {}, 0);
    world.load = {
      mesh: { healthCheck: { type: "http", path: "/health", intervalMs: 200 }, connections: { maxIdleMs: 600_000 } },
    };
    return { peer: await world.peer(wellBehaved), open: [] as number[] };
  },
  inject({ peer, open }) {
    open.push(peer.connections);
    peer.script = failing;
  },
  heal({ peer, open }) {
    open.push(peer.connections);
    peer.script = wellBehaved;
  },
  expect: (outcome, { open: [before = 0, during = Number.NaN] }, { clients }) => [
    noneFailed(outcome),
    atLeast("connections before", before, 1),
    // A check may be under way.
    atMost("connections while it is out", during, clients.length),
  ],
});
