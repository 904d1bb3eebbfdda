import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { LeftOut } from "../../src/core/left-out.ts";
import { Quarantine } from "../../src/discovery/quarantine.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

const set = (...ids: readonly string[]): readonly Endpoint[] => ids.map((id) => ({ id, host: "10.0.0.1", port: 80 }));
const some = set("a");
const ten = set(..."abcdefghij");

/** A quarantine with a clock. Judging returns the ids in use and, after a bar, the unconfirmed ones. */
function rig(policy: "quarantine" | "trust" = "quarantine") {
  const clock = virtualClock();
  const quarantine = new Quarantine(policy, clock);
  const said = (inUse: readonly Endpoint[], next: readonly Endpoint[], certain = false, leftOut: readonly LeftOut[] = []) => {
    const { endpoints, unconfirmed } = quarantine.judge(inUse, { endpoints: next, certain, leftOut });
    return `${endpoints.map(({ id }) => id).join("")}|${unconfirmed.map(({ id }) => id).join("")}`;
  };
  const judge = (inUse: readonly Endpoint[], endpoints: readonly Endpoint[]) =>
    quarantine.judge(inUse, { endpoints, certain: false, leftOut: [] });
  const isHeld = () => judge(some, []).unconfirmed.length > 0;
  return { clock, quarantine, said, judge, isHeld };
}

describe("Quarantine", () => {
  it("holds an empty answer until three, five seconds apart, agree over thirty seconds", async () => {
    const { clock, quarantine, isHeld } = rig();
    const held: boolean[] = [];
    for (const pauseMs of [0, 15_000, 14_999, 1]) {
      await clock.advance(pauseMs);
      held.push(isHeld());
    }
    expect(held).toEqual([true, true, true, false]);
    expect(quarantine.recheckMs).toBeUndefined();
  });

  it("takes answers closer together than five seconds for one, and thirty seconds of two for too little", async () => {
    const { clock, isHeld } = rig();
    for (let index = 0; index < 50; index++) {
      expect(isHeld()).toBe(true);
      await clock.advance(1);
    }
    await clock.advance(40_000);
    expect(isHeld()).toBe(true);
    await clock.advance(4_999);
    expect(isHeld()).toBe(true);
    await clock.advance(1);
    expect(isHeld()).toBe(false);
  });

  it("begins again after an answer that is not empty", async () => {
    const { clock, quarantine, said, isHeld } = rig();
    for (let index = 0; index < 3; index++) {
      isHeld();
      await clock.advance(10_000);
    }
    expect(said(some, some)).toBe("a|");
    expect(quarantine.recheckMs).toBeUndefined();
    expect(isHeld()).toBe(true);
    await clock.advance(20_000);
    expect(isHeld()).toBe(true);
  });

  it("does not hold an empty answer where nothing is in use, under trust, or of a source that knows", () => {
    expect(rig().said([], [])).toBe("|");
    const trusting = rig("trust");
    expect(trusting.said(some, [])).toBe("|");
    expect(trusting.said(ten, set("a"))).toBe("a|");
    expect(trusting.quarantine.recheckMs).toBeUndefined();
    const knowing = rig();
    expect(knowing.said(some, [], true)).toBe("|");
    expect(knowing.said(ten, set("a"), true)).toBe("a|");
  });

  it("wants the next answer in ten seconds, as long as it holds one", () => {
    const { quarantine, isHeld } = rig();
    expect(quarantine.recheckMs).toBeUndefined();
    isHeld();
    expect(quarantine.recheckMs).toBe(10_000);
  });

  it("keeps what a cliff leaves out beside what it lists", () => {
    const { said } = rig();
    expect(said(ten, set("a", "b", "c", "d"))).toBe("abcdefghij|efghij");
    expect(said(ten, set("a", "z"))).toBe("azbcdefghij|bcdefghij");
  });

  it("believes an answer with half of them, and one of three", () => {
    const { said } = rig();
    expect(said(ten, set(..."abcde"))).toBe("abcde|");
    expect(said(set("a", "b", "c"), set("a"))).toBe("a|");
    expect(said(set("a", "b", "c", "d"), set("a"))).toBe("abcd|bcd");
  });

  it("believes at once that all were replaced by as many others", () => {
    expect(rig().said(set(..."abcd"), set(..."wxyz"))).toBe("wxyz|");
  });

  it("believes a cliff after three answers over thirty seconds, also where it began as an empty one", async () => {
    const { clock, said } = rig();
    expect(said(ten, [])).toBe("abcdefghij|abcdefghij");
    await clock.advance(15_000);
    expect(said(ten, set("a"))).toBe("abcdefghij|bcdefghij");
    await clock.advance(15_000);
    expect(said(ten, set("a", "b"))).toBe("ab|");
  });

  it("keeps what is missing while a registry that was emptied fills again, until it has as many", () => {
    const { said, quarantine } = rig();
    const four = set(..."abcd");
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((ids) => said(four, set(...ids)))).toEqual([
      "abcd|abcd",
      "abcd|bcd",
      "abcd|cd",
      "abcd|d",
    ]);
    expect(said(four, four)).toBe("abcd|");
    expect(quarantine.recheckMs).toBeUndefined();
    expect(said(four, set(..."abc"))).toBe("abc|");
  });

  it("lets what was withdrawn go at once, all of them too, and counts it as listed", () => {
    const left = (ids: string): readonly LeftOut[] => [...ids].map((id) => ({ id, reason: "in maintenance", withdrawn: true }));
    expect(rig().said(set(..."abc"), [], false, left("abc"))).toBe("|");
    expect(rig().said(ten, set("a"), false, left("bcdefghij"))).toBe("a|");
    expect(rig().said(ten, set("a"), false, left("bcdefgh"))).toBe("a|");
    expect(rig().said(ten, set("a"), false, left("b"))).toBe("acdefghij|cdefghij");
    expect(rig().said(ten, [], false, left("ab"))).toBe("cdefghij|cdefghij");
  });

  it("takes a withdrawal into account while it holds others", () => {
    const { said, quarantine } = rig();
    expect(said(ten, set("a"))).toBe("abcdefghij|bcdefghij");
    expect(said(ten, set("a"), false, [{ id: "b", reason: "OUT_OF_SERVICE", withdrawn: true }])).toBe("acdefghij|cdefghij");
    expect(said(set(..."acdefghij"), set(..."acdefghij"))).toBe("acdefghij|");
    expect(quarantine.recheckMs).toBeUndefined();
  });

  it("holds what a source has only concluded, of one that is certain too", () => {
    const left = (ids: string): readonly LeftOut[] => [...ids].map((id) => ({ id, reason: "critical by a check of its node" }));
    expect(rig().said(ten, set("a", "b"), false, left("cdefghij"))).toBe("abcdefghij|cdefghij");
    expect(rig().said(ten, set("a", "b"), true, left("cdefghij"))).toBe("abcdefghij|cdefghij");
    // Most of them have left for certain, and the one that is listed as critical is no cliff.
    expect(rig().said(ten, set("a", "b"), true, left("c"))).toBe("ab|");
  });

  it("lets an empty answer through only after three in a row over thirty seconds, whatever comes", async () => {
    const step = fc.record({ pauseMs: fc.oneof(fc.nat(2_000), fc.nat(40_000)), isEmpty: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, judge } = rig();
        let emptySince: number[] = [];
        for (const { pauseMs, isEmpty } of steps) {
          await clock.advance(pauseMs);
          emptySince = isEmpty ? [...emptySince, clock.now()] : [];
          const { endpoints } = judge(some, isEmpty ? [] : some);
          if (endpoints.length > 0) continue;
          expect(emptySince.length).toBeGreaterThanOrEqual(3);
          expect(clock.now() - (emptySince[0] as number)).toBeGreaterThanOrEqual(30_000);
          emptySince = [];
        }
      }),
      { numRuns: 60 },
    );
  });

  it("never leaves a service with less than half of what was in use within thirty seconds, whatever a registry says", async () => {
    const answer = fc.record({ pauseMs: fc.nat(1_500), ids: fc.subarray([..."abcdefghij"]) });
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { maxLength: 20 }), async (answers) => {
        const { clock, judge } = rig();
        let inUse = ten;
        for (const { pauseMs, ids } of answers) {
          await clock.advance(pauseMs);
          const { endpoints, unconfirmed } = judge(inUse, set(...ids));
          expect(new Set(endpoints.map(({ id }) => id)).size).toBe(endpoints.length);
          expect(endpoints.length * 2 >= inUse.length || inUse.length - endpoints.length < 3).toBe(true);
          for (const { id } of unconfirmed) expect(ids).not.toContain(id);
          inUse = endpoints;
        }
      }),
      { numRuns: 60 },
    );
  });
});
