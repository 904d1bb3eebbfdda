import { describe, expect, it } from "vitest";
import { atMost, exactly, forgiven, within } from "./rig/claims.ts";
import { type Fault, fault } from "./rig/fault.ts";
import { lineOf, totals } from "./rig/line.ts";
import { reconcile } from "./rig/reconcile.ts";
import { type Result, runFault } from "./rig/run-fault.ts";

const row: Fault = fault({ id: "F99", name: "something", setup: async () => {}, inject: () => {}, expect: () => [] });
const processFigures = { heapMb: 10, rssMb: 50, fds: 20, cpuMs: 0 };
const evidence = { ledger: [], journal: [], attempts: [], injectedAt: 0, endedAt: 5_000, faulty: [] };
const passed: Result = {
  fault: row,
  status: "pass",
  seconds: 6,
  rps: 100,
  broken: [],
  claims: [],
  figures: { ...reconcile(evidence), sent: 600, ok: 600, worstRecoveryMs: 30.6, outOfRotationMs: 12.4 },
  outcome: {
    ...evidence,
    figures: reconcile(evidence),
    events: [],
    metrics: [],
    healedAt: undefined,
    seconds: 6,
    rps: 100,
    before: processFigures,
    after: { ...processFigures, heapMb: 10.44, fds: 19 },
    lagMs: 3,
  },
};
const about = { seed: 7, node: "24.0.0" };

describe("the line of a row", () => {
  it("has every figure", () => {
    expect(lineOf(passed, about)).toBe(
      "CHAOS F99 something node=24.0.0 seed=7 secs=6 rps=100 sent=600 ok=600 failed=0 ambiguous=0 lost=0 duplicated=0 reexecuted=0 " +
        "falsesafe=0 falseunsafe=0 phantom=0 mismatched=0 truncated=0 attempts_per_req=0.000 transparent=0 out_of_rotation_ms=12 back_ms=- " +
        "worst_recovery_ms=31 p50=0.0 p99=0.0 max=0 lag=3 heap_mb=+0.4 fds=-1 PASS",
    );
  });

  it("says below it what was broken", () => {
    const line = lineOf({ ...passed, status: "fail", broken: [exactly("lost", 2, 0)] }, about);
    expect(line).toMatch(/ FAIL\n {2}F99: lost: 2, must be 0$/);
  });

  it("says of a row that cannot be run here that it is unavailable, and does not count it as passed", async () => {
    const result = await runFault({ ...row, needs: ["consul"] }, { seed: 7, seconds: 1, rps: 10, clients: 1, has: () => false });
    expect(lineOf(result, about)).toBe("CHAOS F99 something UNAVAILABLE no consul on this machine");
    expect(totals([passed, result], 2)).toBe(
      "CHAOS TOTAL faults=1 sent=600 lost=0 duplicated=0 falsesafe=0 worst_recovery_ms=31 (F99)\n1 passed, 0 failed, 1 unavailable, 2 not yet",
    );
  });

  it("fails a row that throws, saying what", async () => {
    const broken = fault({
      ...{ id: "F98", name: "breaks" },
      setup: () => Promise.reject(new Error("no such thing")),
      inject: () => {},
      expect: () => [],
    });
    const result = await runFault(broken, { seed: 7, seconds: 1, rps: 10, clients: 1, has: () => true });
    expect(result.status).toBe("fail");
    expect(lineOf(result, about)).toContain("FAIL Error: no such thing");
    expect(totals([result], 0)).toContain("0 passed, 1 failed");
  });
});

describe("a claim", () => {
  it("has no slack in a count", () => {
    expect(atMost("failed", 1, 0).holds).toBe(false);
  });

  it("has three times the time, and what its client stood still, but not more", () => {
    expect(within("back", 300, 100).holds).toBe(true);
    expect(within("back", 301, 100).holds).toBe(false);
    expect(forgiven(within("back", 340, 100), 50).holds).toBe(true);
    expect(forgiven(within("back", 360, 100), 50).holds).toBe(false);
    expect(forgiven(atMost("failed", 1, 0), 50).holds).toBe(false);
    expect(within("back", undefined, 100).holds).toBe(false);
  });
});
