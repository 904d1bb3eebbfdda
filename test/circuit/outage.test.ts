import { expect, it } from "vitest";
import { Outage } from "../../src/circuit/outage.ts";

const outageBy = (rule: ConstructorParameters<typeof Outage>[0]) => new Outage(rule, { baseMs: 1_000, maxMs: 30_000 }, 0);

it("an outage is of the rule that opened the circuit, and is held by none", () => {
  const outage = outageBy("connection refused");
  expect([outage.rule, outage.isHeld, outage.heldUntilMs]).toEqual(["connection refused", false, undefined]);
  expect([outage.letGo("health check"), outage.rule]).toEqual([false, "connection refused"]);
});

it("an outage is of the rule that took hold of it last, and then of one that is left", () => {
  const outage = outageBy("connection refused");
  outage.hold("operator", 5_000);
  expect([outage.rule, outage.isHeld, outage.heldUntilMs]).toEqual(["operator", true, 5_000]);
  outage.hold("health check", undefined);
  expect([outage.rule, outage.heldUntilMs]).toEqual(["health check", undefined]);
  expect([outage.letGo("health check"), outage.rule, outage.isHeld, outage.heldUntilMs]).toEqual([true, "operator", true, 5_000]);
  outage.hold("operator", 9_000);
  expect(outage.heldUntilMs).toBe(9_000);
  expect([outage.letGo("operator"), outage.letGo("operator"), outage.isHeld]).toEqual([true, false, false]);
});
