import { atLeast, exactly, latency, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

const dead = ["127.0.0.2", "127.0.0.3"];
const connectTimeoutMs = 1_000;

/** The names of all instances resolve to two addresses that drop every SYN, and then to the one that answers. */
export const F131 = fault({
  id: "F131",
  name: "first-addresses-dead",
  async setup(world) {
    const shop = await world.shop(3, {}, 0);
    for (const { endpoint } of shop) await world.deafen(endpoint.port, dead);
    const endpoints = shop.map(({ endpoint }) => ({ ...endpoint, host: `${endpoint.id}.test` }));
    world.load = {
      discovery: { kind: "static", endpoints },
      hosts: Object.fromEntries(endpoints.map(({ host }) => [host, [...dead, "127.0.0.1"]])),
      // So that connections are made all the time.
      mesh: { connections: { max: 16, maxAgeMs: 2_000, connectTimeoutMs } },
    };
  },
  inject: () => {},
  expect: (outcome) => [
    noneFailed(outcome),
    atLeast("attempts", outcome.attempts.length, 100),
    exactly("attempts failed", outcome.attempts.filter(({ isFailed }) => isFailed === true).length, 0),
    // Two pauses before the address that answers; a call may wait for a connection that is being made.
    within("added latency", latency(outcome.ledger, 1), connectTimeoutMs),
  ],
});
