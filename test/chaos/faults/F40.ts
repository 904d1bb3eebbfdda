import { latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

const connectTimeoutMs = 1_000;

/** One of five endpoints drops every SYN: its queue is full and nobody accepts. */
export const F40 = fault({
  id: "F40",
  name: "syn-dropped",
  async setup(world) {
    await world.shop(4, {}, 0);
    const deaf = await world.deafEndpoint("deaf");
    world.load = { discovery: { kind: "static", endpoints: [deaf, ...world.endpoints] } };
    return deaf;
  },
  inject: () => {},
  expect(outcome, deaf) {
    const hit = new Set(outcome.attempts.filter(({ upstream }) => upstream === deaf.id).map(({ id }) => id));
    const delayed = outcome.ledger.filter(({ id }) => hit.has(id));
    return [noneFailed(outcome), within("added latency", latency(delayed, 1), connectTimeoutMs + 50)];
  },
});
