import { atLeast, atMost, exactly, failures, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["long-header", "many-headers", "long-status-line"] as const;

const oversized: RawScript = ({ number, socket, good, end }) => {
  const variant = variants[number % 3] as (typeof variants)[number];
  const whole = good().toString("latin1");
  const line = (text: string) => whole.replace("\r\n", `\r\n${text}\r\n`);
  const bytes = {
    "long-header": () => line(`x-long: ${"a".repeat(65_536)}`),
    "many-headers": () => line(Array.from({ length: 10_000 }, (_, index) => `x-${index}: 1`).join("\r\n")),
    "long-status-line": () => whole.replace("200 OK", `200 ${"O".repeat(2 ** 20)}`),
  }[variant]();
  if (variant === "long-status-line") end();
  socket.write(bytes);
  return variant;
};

/** One of five instances answers with heads that no client should hold. */
export const F47 = fault({
  id: "F47",
  name: "oversized-heads",
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { breaker: false } };
    return await world.peer(wellBehaved);
  },
  inject(peer) {
    peer.script = oversized;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer, world) {
    const posts = (variant: string) => outcome.ledger.filter(({ id, method }) => method === "POST" && peer.given.get(id) === variant);
    return [
      noneFailed(outcome, "GET"),
      ...variants.map((variant) => atLeast(`such heads (${variant})`, posts(variant).length, 3)),
      // A status line is held in pieces and never whole, so that its length costs nothing: it may be taken.
      ...["long-header", "many-headers"].map((variant) =>
        exactly(`taken (${variant})`, posts(variant).filter(({ error }) => error === undefined).length, 0),
      ),
      exactly("failed of the others", failures(outcome).filter(({ id }) => !peer.given.has(id)).length, 0),
      atMost("memory more than before, MiB of heap", (outcome.after.heapMb - outcome.before.heapMb) / world.clients.length, 16),
    ];
  },
});
