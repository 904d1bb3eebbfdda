import { gzipSync } from "node:zlib";
import { atLeast, atMost, ejections, exactly, failures, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { wellBehaved } from "../rig/raw.ts";

const whole = gzipSync("x".repeat(1_000));
const bodies = { cut: whole.subarray(0, whole.length - 12), garbage: Buffer.from("no gzip at all") } as const;

/** One of five instances answers each GET with a body that comes whole and does not decode. */
export const F154 = fault({
  id: "F154",
  name: "bodies-that-do-not-decode",
  async setup(world) {
    await world.shop(4, {}, 0);
    // The metrics count what came over the wire, which was whole: the ledger has an error where it was decoded.
    world.load = { picker: "roundRobin", postShare: 0.1, hasMetrics: false };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = (request) => {
      if (request.method !== "GET") return wellBehaved(request);
      const variant = request.number % 2 === 0 ? "cut" : "garbage";
      const body = bodies[variant];
      request.end();
      const head = [`x-id: ${request.id}`, "content-encoding: gzip", `content-length: ${body.byteLength}`];
      request.socket.write(`HTTP/1.1 200 OK\r\n${head.join("\r\n")}\r\n\r\n`);
      request.socket.write(body);
      return variant;
    };
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const hit = outcome.ledger.filter(({ id }) => peer.given.has(id));
    return [
      atLeast("bodies that do not decode", hit.length, 3),
      exactly("of which did not fail as a body", hit.filter(({ error }) => error !== "ERR_MESH_BODY").length, 0),
      exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
      noneFailed({ ...outcome, ledger: outcome.ledger.filter(({ method }) => method === "POST") }),
      atLeast("times that it was taken out", ejections(outcome), 1),
      // Its turns until it was out, and its probes.
      atMost("calls that went there", hit.length, outcome.ledger.length / 20),
    ];
  },
});
