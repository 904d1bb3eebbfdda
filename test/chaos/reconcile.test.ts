import { describe, expect, it } from "vitest";
import { type Evidence, reconcile, recoveryMs } from "./rig/reconcile.ts";
import type { AttemptTrace, JournalEntry, LedgerEntry } from "./rig/records.ts";

const good = (id: string, over: Partial<LedgerEntry> = {}): LedgerEntry => {
  return { id, method: "POST", sentAt: 1_000, settledAt: 1_005, status: 200, echoed: id, isWhole: true, ...over };
};
const broken = (id: string, over: Partial<LedgerEntry> = {}): LedgerEntry => {
  return { id, method: "POST", sentAt: 1_000, settledAt: 1_005, error: "ERR_MESH_PROTOCOL", maybeExecuted: true, ...over };
};
const executed = (id: string, method = "POST", instance = "i0"): readonly JournalEntry[] => [
  { event: "begin", id, method, at: 1_001, instance },
  { event: "end", id, method, at: 1_004, instance },
];
const begun = (id: string, method = "POST", instance = "i0"): JournalEntry => ({ event: "begin", id, method, at: 1_001, instance });
const attempt = (over: Partial<AttemptTrace> = {}): AttemptTrace => {
  return {
    client: "c0",
    id: "c0-0",
    method: "GET",
    upstream: "i0",
    startedAt: 1_000,
    endedAt: 1_005,
    isProbe: false,
    isFailed: false,
    ...over,
  };
};
const of = (over: Partial<Evidence>) =>
  reconcile({ ledger: [], journal: [], attempts: [], injectedAt: 0, endedAt: 10_000, faulty: [], ...over });

describe("a ledger compared with the journals", () => {
  it("has nothing against a request that was executed once and answered", () => {
    expect(of({ ledger: [good("a")], journal: executed("a"), attempts: [attempt({ id: "a" })] })).toMatchObject({
      sent: 1,
      ok: 1,
      failed: 0,
      lost: 0,
      duplicated: 0,
      reexecuted: 0,
      ambiguous: 0,
      falsesafe: 0,
      falseunsafe: 0,
      phantom: 0,
      mismatched: 0,
      truncated: 0,
      attemptsPerRequest: 1,
      transparent: 0,
    });
  });

  it("finds a request that nobody ever heard of again", () => {
    const { settledAt: _, ...open } = good("a");
    expect(of({ ledger: [open, good("b")], journal: executed("b") })).toMatchObject({ lost: 1, ok: 1, failed: 0 });
  });

  it("finds a POST that two instances began, and tells it from a GET that they did", () => {
    const journal = [begun("a"), begun("a", "POST", "i1"), begun("b", "GET"), begun("b", "GET", "i1")];
    expect(of({ ledger: [good("a"), good("b", { method: "GET" })], journal })).toMatchObject({
      duplicated: 1,
      reexecuted: 1,
      attemptsPerRequest: 2,
    });
  });

  it("finds a POST that one instance began twice", () => {
    expect(of({ ledger: [good("a")], journal: [...executed("a"), ...executed("a")] }).duplicated).toBe(1);
  });

  it("finds an error that calls safe what was executed, and counts one that is too careful", () => {
    const ledger = [broken("a", { maybeExecuted: false }), broken("b"), broken("c", { maybeExecuted: false })];
    expect(of({ ledger, journal: [begun("a")] })).toMatchObject({ failed: 3, ambiguous: 1, falsesafe: 1, falseunsafe: 1 });
  });

  it("does not take a refusal for an execution", () => {
    const journal: readonly JournalEntry[] = [{ event: "refuse", id: "a", method: "POST", at: 1_001, instance: "h0" }, ...executed("a")];
    expect(of({ ledger: [good("a")], journal })).toMatchObject({ duplicated: 0, attemptsPerRequest: 2 });
  });

  it("finds an answer that no instance gave, that of another request, and half of one", () => {
    const ledger = [good("a"), good("b", { echoed: "x" }), good("c", { isWhole: false })];
    expect(of({ ledger, journal: [...executed("b"), ...executed("c"), begun("a")] })).toMatchObject({
      phantom: 1,
      mismatched: 1,
      truncated: 1,
    });
  });

  it("does not count as failed what its caller gave up", () => {
    const { status: _, echoed: __, isWhole: ___, ...entry } = good("a");
    expect(of({ ledger: [{ ...entry, isAborted: true }] })).toMatchObject({ aborted: 1, failed: 0, ok: 0, lost: 0 });
  });

  it("counts a 503 as failed and a 404 as answered", () => {
    expect(of({ ledger: [good("a", { status: 503 }), good("b", { status: 404 })], journal: executed("b") })).toMatchObject({
      ok: 1,
      failed: 1,
    });
  });

  it("sees what was sent again below the client", () => {
    expect(of({ ledger: [good("a")], journal: [begun("a"), ...executed("a")], attempts: [attempt({ id: "a" })] }).transparent).toBe(1);
  });

  it("sees an attempt that the client says was answered and that no server saw", () => {
    const attempts = [attempt({ id: "a", status: 200 }), attempt({ id: "a", status: 200 }), attempt({ id: "b", code: "ECONNREFUSED" })];
    expect(of({ ledger: [good("a"), broken("b")], journal: executed("a"), attempts }).unseen).toBe(1);
  });

  it("measures how long a faulty endpoint stayed in rotation, without its probes, and when it was back", () => {
    const attempts = [
      attempt({ startedAt: 900 }),
      attempt({ startedAt: 1_040, isFailed: true }),
      attempt({ startedAt: 1_900, isProbe: true, isFailed: true }),
      attempt({ startedAt: 1_950, upstream: "i1" }),
      attempt({ startedAt: 2_500, isProbe: true }),
      attempt({ startedAt: 2_600 }),
    ];
    expect(of({ attempts, faulty: ["i0"], injectedAt: 1_000, healedAt: 2_000 })).toMatchObject({ outOfRotationMs: 40, backMs: 600 });
  });
});

describe("recovery", () => {
  const steady = (from: number, to: number, isBad: (at: number) => boolean): readonly LedgerEntry[] =>
    Array.from({ length: (to - from) / 10 }, (_, index) => from + index * 10).map((at) => {
      return isBad(at) ? broken(`r${at}`, { sentAt: at }) : good(`r${at}`, { sentAt: at });
    });

  it("takes no time where nothing failed", () => {
    expect(
      recoveryMs(
        steady(0, 5_000, () => false),
        1_000,
        5_000,
      ),
    ).toBe(0);
  });

  it("ends with the last failure before a whole good second", () => {
    expect(
      recoveryMs(
        steady(0, 5_000, (at) => at >= 1_000 && at <= 1_500),
        1_000,
        5_000,
      ),
    ).toBeCloseTo(500, 1);
  });

  it("is not over between failures that are less than a second apart", () => {
    expect(
      recoveryMs(
        steady(0, 6_000, (at) => at === 1_200 || at === 2_100),
        1_000,
        6_000,
      ),
    ).toBeCloseTo(1_100, 1);
  });

  it("never comes where the good second is not whole", () => {
    expect(
      recoveryMs(
        steady(0, 3_000, (at) => at === 1_500 || at === 2_400),
        1_000,
        3_000,
      ),
    ).toBe(Number.POSITIVE_INFINITY);
  });
});
