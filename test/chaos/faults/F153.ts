import { gzipSync } from "node:zlib";
import { atLeast, atMost, ejections, exactly, failures, heapGrown, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

/** A quarter of a gibibyte of zeros, in a quarter of a mebibyte. */
const bomb = gzipSync(Buffer.alloc(2 ** 28), { level: 9 });

/** One of five instances answers each GET with a small body that decodes to a large one. */
export const F153 = fault({
  id: "F153",
  name: "decoding-bombs",
  maxRps: 100,
  async setup(world) {
    await world.shop(4, {}, 0);
    // The metrics count what came over the wire, which was whole: the ledger has an error where it was decoded.
    world.load = { picker: "roundRobin", mesh: { maxCollectedBytes: 2 ** 20 }, hasMetrics: false };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = (request) => {
      if (request.method !== "GET") return wellBehaved(request);
      const { socket } = request;
      request.end();
      const head = [
        `x-id: ${request.id}`,
        `x-instance: ${peer.endpoint.id}`,
        "content-encoding: gzip",
        `content-length: ${bomb.byteLength}`,
      ];
      socket.write(`HTTP/1.1 200 OK\r\n${head.join("\r\n")}\r\n\r\n`);
      socket.write(bomb);
      return "bomb";
    };
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer, world) {
    const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === "bomb");
    return [
      atLeast("bombs", hit.length, 5),
      exactly("failed that were not theirs", failures(outcome).filter(({ id }) => peer.given.get(id) !== "bomb").length, 0),
      exactly("of theirs that did not fail by the limit", hit.filter(({ error }) => error !== "ERR_MESH_BODY").length, 0),
      within("until they failed", latency(hit, 1), 2_000),
      // It has answered; the limit is the caller's.
      atMost("times that an instance was taken out", ejections(outcome), 0),
      heapGrown(outcome, world, 20),
    ];
  },
});
