import { atLeast, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** Half of the calls over HTTP/2 are given up by their callers within 20 milliseconds, many of them in the middle of an upload. */
export const F146 = fault({
  id: "F146",
  name: "uploads-given-up",
  maxRps: 50,
  async setup(world) {
    world.load = { uploadBytes: 2 ** 18, abortShare: 0.5, mesh: { protocol: "h2" } };
    return await world.shop(5, { protocol: "h2c" }, 0);
  },
  inject: () => {},
  expect(outcome) {
    const ended = new Set(outcome.journal.filter(({ event }) => event === "end").map(({ id }) => id));
    const begun = outcome.journal.filter(({ event, method }) => event === "begin" && method === "POST");
    const given = outcome.ledger.filter(({ method, isAborted }) => method === "POST" && isAborted === true);
    return [
      atLeast("uploads that were given up", given.length, 10),
      atLeast("of which no instance has begun", given.filter(({ id }) => !begun.some((each) => each.id === id)).length, 1),
      // An instance ends what it has begun with a whole body.
      exactly("parts of an upload that were taken for the whole", begun.filter(({ id }) => !ended.has(id)).length, 0),
      exactly("failed of the others", failures(outcome).length, 0),
    ];
  },
});
