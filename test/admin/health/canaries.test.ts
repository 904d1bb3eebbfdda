import { expect, test } from "vitest";
import { canariesByHealth, canaryHealth, canaryParts, decidedText, evidenceText } from "../../../src/admin/health/canaries.ts";
import type { CanaryRow } from "../../../src/admin/routes/canary-row.ts";

function rowOf(given: Partial<CanaryRow> = {}): CanaryRow {
  return {
    rule: "checkout",
    service: "orders",
    state: "stepping",
    why: "the next step follows",
    sinceMs: 0,
    step: 1,
    steps: [5, 50],
    share: 0.05,
    canary: { target: "v2", calls: 400, failures: 3 },
    stable: { target: "v1", calls: 4_000, failures: 2 },
    sharedBy: null,
    processes: 1,
    stateError: null,
    ...given,
  };
}

test.each([
  ["ok", { state: "stepping" }],
  ["ok", { state: "finished" }],
  ["ok", { state: "holding", step: 2 }],
  ["degraded", { state: "holding", step: 1 }],
  ["degraded", { state: "stepping", stateError: "timeout" }],
  ["failing", { state: "rolled-back" }],
] as const)("a canary is %s with %j", (health, given) => {
  expect(canaryHealth(rowOf(given))).toBe(health);
});

test("canaries are ordered by their health, then by the name of their rule", () => {
  const rows = [rowOf({ rule: "c" }), rowOf({ rule: "b" }), rowOf({ rule: "d", state: "rolled-back" })];
  expect(canariesByHealth(rows).map(({ rule }) => rule)).toEqual(["d", "b", "c"]);
});

test("the evidence of a canary is what was counted of both targets, and the reason for its phase", () => {
  expect(evidenceText(rowOf())).toBe("v2 3 of 400 failed, v1 2 of 4000 failed: the next step follows");
  expect(evidenceText(rowOf({ canary: { target: "v2", calls: 0, failures: 0 } }))).toMatch(/^v2 no call yet, /);
});

test("a canary says which processes decide on it", () => {
  expect(decidedText(rowOf())).toBe("this process alone");
  const shared = { sharedBy: "consul", processes: 8 };
  expect(decidedText(rowOf(shared))).toBe("consul, with the counts of 8 processes");
  expect(decidedText(rowOf({ ...shared, processes: 1 }))).toBe("consul, with the counts of 1 process");
  expect(decidedText(rowOf({ ...shared, stateError: "no leader" }))).toBe("this process alone, since consul does not answer: no leader");
});

test("the line of a process names a canary that was rolled back, counts several, and has no room for those that are well", () => {
  const back = rowOf({ state: "rolled-back" });
  expect(canaryParts({ canaries: [rowOf(), back] })).toEqual([{ health: "failing", text: "canary of checkout rolled back" }]);
  expect(canaryParts({ canaries: [back, back] })).toEqual([{ health: "failing", text: "2 canaries rolled back" }]);
  expect(canaryParts({ canaries: [rowOf()] })).toEqual([]);
  expect(canaryParts({})).toEqual([]);
});
