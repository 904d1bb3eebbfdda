import { atLeast, atMost, ejections, exactly, failures, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;

/** One of five instances answers each GET with a body without end, as fast as it is read. */
export const F143 = fault({
  id: "F143",
  name: "bodies-without-end",
  maxRps: 100,
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { maxCollectedBytes: 2 ** 20 } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = (request) => {
      if (request.method !== "GET") return wellBehaved(request);
      const { socket } = request;
      request.end();
      socket.write(`HTTP/1.1 200 OK\r\nx-id: ${request.id}\r\nx-instance: ${peer.endpoint.id}\r\ntransfer-encoding: chunked\r\n\r\n`);
      const write = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", write);
      write();
      return "endless";
    };
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const failed = failures(outcome);
    const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === "endless");
    return [
      atLeast("bodies without end", hit.length, 5),
      exactly("failed that were not theirs", failed.filter(({ id }) => peer.given.get(id) !== "endless").length, 0),
      exactly("of theirs that did not fail by the limit", hit.filter(({ error }) => error !== "ERR_MESH_BODY").length, 0),
      within("until they failed", latency(hit, 1), 2_000),
      // It has answered; the limit is the caller's.
      atMost("times that an instance was taken out", ejections(outcome), 0),
    ];
  },
});
