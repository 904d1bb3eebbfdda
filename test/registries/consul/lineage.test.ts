import { describe, expect, it } from "vitest";
import { Lineage, type LineageAnswer } from "../../../src/registries/consul/lineage.ts";
import { ManualClock } from "../manual-clock.ts";

/** Says for each answer whether it is certain. An answer is informed and follows no failure unless told otherwise. */
function rig() {
  const clock = new ManualClock();
  const lineage = new Lineage(clock);
  const say = (index: number, count: number, more: Partial<LineageAnswer> = {}) =>
    lineage.isCertain({ index: BigInt(index), count, isInformed: true, failures: 0, ...more });
  return { clock, lineage, say };
}

describe("the answers of one catalogue", () => {
  it("prove nothing at first, and each later index proves what its answer leaves out", () => {
    const { say } = rig();
    expect([say(20, 10), say(21, 2), say(22, 0)]).toEqual([false, true, true]);
  });

  it("prove nothing twice under one index, or before any instance was listed", () => {
    const { say } = rig();
    expect([say(20, 0), say(21, 3), say(21, 3)]).toEqual([false, false, false]);
  });

  it("prove the drop that an uninformed one showed before, under the same index", () => {
    const { say } = rig();
    expect([say(20, 10), say(21, 2, { isInformed: false }), say(21, 2)]).toEqual([false, false, true]);
  });

  it("prove a drop after changes that only uninformed ones have told", () => {
    const { say } = rig();
    const uninformed = { isInformed: false };
    expect([say(20, 3), say(30, 10, uninformed), say(31, 9, uninformed), say(32, 2, uninformed), say(32, 2)]).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it.each<[string, Partial<LineageAnswer>, number]>([
    ["a failed question", { failures: 1 }, 90],
    ["an index that went backwards", {}, 15],
  ])("prove nothing after %s, until as many are listed as before", (_name, more, index) => {
    const { say } = rig();
    say(20, 10);
    say(25, 10);
    expect([say(index, 0, more), say(index + 1, 4, more), say(index + 2, 1, more)]).toEqual([false, false, false]);
    expect(say(index + 3, 10, more), "the catalogue is complete again").toBe(false);
    expect(say(index + 4, 1, more)).toBe(true);
  });

  it("prove something again a minute after a break", () => {
    const { clock, say } = rig();
    say(20, 10);
    say(12, 3);
    clock.advance(60_000);
    expect([say(13, 3), say(14, 1)]).toEqual([false, true]);
  });
});
