import { atLeast, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["length", "chunked", "close"] as const;

/** Half a body, then a reset, by each way of saying how long a body is. */
const cutOff: RawScript = ({ number, socket, good }) => {
  const variant = variants[number % 3] as (typeof variants)[number];
  const whole = good().toString("latin1");
  const [head = "", body = ""] = whole.split("\r\n\r\n");
  const half = body.slice(0, body.length >> 1);
  const framed = {
    length: [head, half],
    chunked: [head.replace(/content-length: \d+/, "transfer-encoding: chunked"), `${half.length.toString(16)}\r\n${half}\r\n`],
    close: [head.replace(/content-length: \d+/, "connection: close"), half],
  } as const;
  const [sentHead, sentBody] = framed[variant];
  socket.write(`${sentHead}\r\n\r\n${sentBody}`);
  // The head shall have been read before.
  setTimeout(() => socket.resetAndDestroy(), 20);
  return variant;
};

/** One of five instances resets connections in the middle of a body. */
export const F44 = fault({
  id: "F44",
  name: "reset-in-body",
  async setup(world) {
    await world.shop(4, {}, 0);
    // Without ejection: every variant is to be met often.
    world.load = { picker: "roundRobin", mesh: { breaker: false } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = cutOff;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect: (outcome, peer) => [
    ...variants.flatMap((variant) => {
      const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === variant);
      return [
        atLeast(`bodies cut off (${variant})`, hit.length, 5),
        exactly(`of which were taken for whole ones`, hit.filter(({ error }) => error === undefined).length, 0),
        exactly("of which did not fail as a body", hit.filter(({ error }) => error !== undefined && error !== "ERR_MESH_BODY").length, 0),
      ];
    }),
    exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
    exactly("sent again after bytes had come", outcome.figures.reexecuted, 0),
  ],
});
