import { atLeast, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["too-big", "extra", "twice", "with-te"] as const;

/** Lengths that are not the length. */
const misleading: RawScript = (request) => {
  const { number, socket, good } = request;
  const variant = variants[number % 4] as (typeof variants)[number];
  const whole = good().toString("latin1");
  const length = Number(/content-length: (\d+)/.exec(whole)?.[1]);
  const said = (line: string) => whole.replace(/content-length: \d+/, line);
  switch (variant) {
    case "too-big":
      socket.end(said(`content-length: ${length + 10}`));
      break;
    case "extra":
      // All that was asked for, and behind it an answer that nobody asked for.
      request.end();
      socket.write(`${whole}HTTP/1.1 200 OK\r\nx-id: nobody\r\ncontent-length: 6\r\n\r\npoison`);
      break;
    case "twice":
      socket.write(said(`content-length: ${length}\r\ncontent-length: ${length - 1}`));
      break;
    case "with-te":
      socket.write(said(`content-length: ${length}\r\ntransfer-encoding: chunked`));
      break;
  }
  return variant;
};

/** One of five instances lies about the length of its bodies. */
export const F45 = fault({
  id: "F45",
  name: "content-length-lies",
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { breaker: false } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = misleading;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect: (outcome, peer) => [
    ...variants.flatMap((variant) => {
      const hit = outcome.ledger.filter(({ id }) => peer.given.get(id) === variant);
      const posts = hit.filter(({ method }) => method === "POST");
      return [
        atLeast(`answers with a wrong length (${variant})`, hit.length, 5),
        exactly(
          `POSTs of which went well (${variant})`,
          posts.filter(({ error }) => error === undefined).length,
          variant === "extra" ? posts.length : 0,
        ),
      ];
    }),
    exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
  ],
});
