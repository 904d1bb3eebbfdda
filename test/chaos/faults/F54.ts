import { atLeast, exactly, failures, latency, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { type RawScript, wellBehaved } from "../rig/raw.ts";

const variants = ["1", "3600", "soon", "Sun, 06 Nov 1994 08:49:37 GMT"] as const;

const unavailable: RawScript = ({ id, number, socket }) => {
  const variant = variants[number % 4] as (typeof variants)[number];
  socket.write(`HTTP/1.1 503 Service Unavailable\r\nx-id: ${id}\r\nretry-after: ${variant}\r\ncontent-length: 0\r\n\r\n`);
  return variant;
};

/** One of five instances answers 503 and says when to come back: in a second, in an hour, in no known language, in 1994. */
export const F54 = fault({
  id: "F54",
  name: "retry-after",
  minSeconds: 8,
  async setup(world) {
    await world.shop(4, {}, 0);
    world.load = { picker: "roundRobin", mesh: { breaker: false, retry: { budget: { ratio: 1, minRetriesPerSecond: 1_000 } } } };
    return await world.peer(wellBehaved);
  },
  // Without ejection and with a budget for all of it, a fifth of the GETs is sent again.
  extraAttempts: 0.2,
  inject(peer) {
    peer.script = unavailable;
  },
  heal(peer) {
    peer.script = wellBehaved;
  },
  expect(outcome, peer) {
    const of = (variant: string, method: string) =>
      outcome.ledger.filter((each) => each.method === method && peer.given.get(each.id) === variant);
    const good = (variant: string) => of(variant, "GET").filter(({ status }) => status === 200);
    return [
      ...variants.flatMap((variant) => [
        atLeast(`GETs told ${variant}`, of(variant, "GET").length, 3),
        exactly(`POSTs told ${variant} that did not get the 503`, of(variant, "POST").filter(({ status }) => status !== 503).length, 0),
      ]),
      exactly("GETs told to wait a second that failed", failures({ ledger: of("1", "GET") }).length, 0),
      atLeast("the quickest of them, ms", Math.min(...good("1").map(({ sentAt, settledAt = 0 }) => settledAt - sentAt)), 1_000),
      within("the slowest of them", latency(good("1"), 1), 1_400),
      exactly("GETs told to wait an hour that were not handed the 503", of("3600", "GET").filter(({ status }) => status !== 503).length, 0),
      within("the slowest of those", latency(of("3600", "GET"), 1), 50),
      ...["soon", "Sun, 06 Nov 1994 08:49:37 GMT"].flatMap((variant) => [
        exactly(`GETs told ${variant} that failed`, failures({ ledger: of(variant, "GET") }).length, 0),
        within("the slowest of those", latency(of(variant, "GET"), 1), 300),
      ]),
    ];
  },
});
