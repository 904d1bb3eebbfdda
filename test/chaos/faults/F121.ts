import { atLeast, atMost, exactly, failures, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import type { H2Request } from "../rig/h2raw.ts";

/** Time from the fault on in which calls may fail: an attempt that is under way or sent before the first has timed out. */
const graceMs = 2_000;

/** The connections to one of five HTTP/2 instances swallow everything; new ones to the same instance work. */
export const F121 = fault({
  id: "F121",
  name: "h2-connection-swallows",
  // The instance must be in rotation again before the end.
  minSeconds: 12,
  async setup(world) {
    await world.shop(4, { protocol: "h2c" }, 0);
    const peer = await world.h2Peer((request: H2Request) => {
      request.answer();
      return String(request.connection);
    });
    world.load = { picker: "roundRobin", mesh: { protocol: "h2", attemptTimeoutMs: 800 } };
    return { peer, before: 0 };
  },
  inject(state) {
    state.before = state.peer.accepted;
    state.peer.swallow();
  },
  expect(outcome, { peer, before }) {
    const late = failures(outcome).filter(({ sentAt }) => sentAt > outcome.injectedAt + graceMs);
    const again = peer.journal.find(
      ({ event, at, id }) => event === "end" && at > outcome.injectedAt && Number(peer.given.get(id)) >= before,
    );
    const endsAt = Math.max(...outcome.ledger.map(({ sentAt }) => sentAt));
    const atTheEnd = peer.journal.filter(({ event, at }) => event === "end" && at > endsAt - 2_000);
    return [
      atLeast("executed by the instance in the last two seconds", atTheEnd.length, 20),
      exactly("GETs that failed", failures(outcome, "GET").length, 0),
      exactly("requests that failed later than two seconds after the fault", late.length, 0),
      atLeast("connections before", before, 1),
      within("executed on a new connection", again && again.at - outcome.injectedAt, 3_000),
      // One for each of the connections that were lost, and what is made while one is doubted.
      atMost("new connections", peer.accepted - before, 4 * before + 4),
    ];
  },
});
