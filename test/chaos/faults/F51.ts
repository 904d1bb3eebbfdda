import { atLeast, exactly, failures, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["100", "103", "101"] as const;

const informational: RawScript = (request) => {
  const variant = variants[request.number % 3] as (typeof variants)[number];
  const before = {
    "100": "HTTP/1.1 100 Continue\r\n\r\n",
    "103": "HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n",
    "101": "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: nonsense\r\n\r\n",
  }[variant];
  request.end();
  request.socket.write(before);
  if (variant !== "101") request.socket.write(request.good());
  return variant;
};

/** One of five instances says 100, 103 and 101 unasked. */
export const F51 = fault({
  id: "F51",
  name: "unasked-1xx",
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { breaker: false } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = informational;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const of = (variant: string) => outcome.ledger.filter(({ id }) => peer.given.get(id) === variant);
    const failed = failures(outcome);
    return [
      noneFailed(outcome, "GET"),
      ...variants.map((variant) => atLeast(`answers with ${variant}`, of(variant).length, 5)),
      ...["100", "103"].map((variant) =>
        exactly(`failed after a ${variant}`, of(variant).filter(({ id }) => failed.some((each) => each.id === id)).length, 0),
      ),
      exactly("failed without maybeExecuted", failed.filter(({ maybeExecuted }) => maybeExecuted !== true).length, 0),
      exactly("failed of the others", failed.filter(({ id }) => !peer.given.has(id)).length, 0),
    ];
  },
});
