import { atLeast, atMost, ejections, exactly, failures, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["garbage", "h2", "tls"] as const;
const answers = {
  garbage: Buffer.from("\u0000\u0001 this is no HTTP \r\n\r\n\r\n"),
  // An empty SETTINGS frame.
  h2: Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  // A fatal alert, "unexpected message".
  tls: Buffer.from([0x15, 3, 3, 0, 2, 2, 10]),
};

const nonsense: RawScript = ({ number, socket }) => {
  const variant = variants[number % 3] as (typeof variants)[number];
  socket.write(answers[variant]);
  return variant;
};

/** One instance answers with what is no HTTP, another one is said to speak TLS and does not. */
export const F46 = fault({
  id: "F46",
  name: "not-http",
  async setup(world) {
    await world.shop(4, {}, 0);
    const [peer, plain] = [await world.peer(wellBehaved), await world.peer(wellBehaved)];
    const endpoints = world.endpoints.map((each) => (each.id === plain.endpoint.id ? { ...each, secure: true } : each));
    world.load = { picker: "roundRobin", discovery: { kind: "static", endpoints } };
    return peer;
  },
  inject(peer) {
    peer.script = nonsense;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect: (outcome, peer, world) => [
    noneFailed(outcome, "GET"),
    exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
    // Five in a row by each client, and those that were under way.
    atMost("POST failed", failures(outcome, "POST").length, world.clients.length * 10),
    atLeast("ejections", ejections(outcome), 2 * world.clients.length),
  ],
});
