import { agreementOfAnswers } from "../rig/agreement.ts";
import { exactly, holds, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { closedEndpoint } from "../rig/raw.ts";

/** One of five endpoints is a port on which nobody listens, from the start. */
export const F41 = fault({
  id: "F41",
  name: "port-closed",
  async setup(world) {
    await world.shop(4, {}, 0);
    const closed = await closedEndpoint("closed");
    world.faulty = [closed.id];
    world.load = { discovery: { kind: "static", endpoints: [closed, ...world.endpoints] } };
    return closed;
  },
  inject: () => {},
  expect: (outcome, closed) => [
    noneFailed(outcome),
    exactly("seen of it", outcome.journal.filter(({ instance }) => instance === closed.id).length, 0),
    holds(
      "it was tried",
      outcome.attempts.some(({ upstream }) => upstream === closed.id),
    ),
    ...agreementOfAnswers(outcome),
  ],
});
