import { expect, test } from "vitest";
import { ownParts } from "../../../src/admin/health/own-instances.ts";

const server = (state: "serving" | "draining", service = "orders") =>
  ({ service, state, sinceMs: 0, open: 3, connections: 4, identity: null, callersMode: null }) as const;
const registration = (state: "registered" | "failing", registry = "consul at a") =>
  ({ service: "orders", id: "o1", registry, state }) as const;

test.each([
  ["a process that serves nothing, or says nothing of it", {}, []],
  [
    "one that serves",
    { servers: [server("serving")], registrations: [registration("registered")] },
    ["ok orders serving", "ok orders registered"],
  ],
  [
    "two registries that have it",
    { registrations: [registration("registered"), registration("registered", "eureka at b")] },
    ["ok orders registered"],
  ],
  ["one that leaves", { servers: [server("draining", "_unregistered")] }, ["degraded server draining, 3 under way"]],
  ["one that is not registered", { registrations: [registration("failing")] }, ["failing orders not registered: failing at consul at a"]],
])("the line shows %s", (_what, snapshot, parts) => {
  expect(ownParts(snapshot).map(({ health, text }) => `${health} ${text}`)).toEqual(parts);
});
