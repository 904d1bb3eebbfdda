import { describe, expect, it } from "vitest";
import { sumOfCounts } from "../../../src/routing/canary/canary-counts.ts";
import { canarySettings } from "../../../src/routing/canary/canary-settings.ts";
import { harmOf } from "../../../src/routing/canary/judge.ts";
import { Fleet } from "./fleet.ts";

const eight = { processes: 8, rate: 5 };
const settings = canarySettings({});

/** Whether the counts of all processes together, which no process sees at once, pass the test. */
function canBeKnown(fleet: Fleet): boolean {
  const all = sumOfCounts(fleet.canaries.map(({ counts }) => counts));
  return harmOf({ all, groups: [all] }, settings)?.isProved === true;
}

describe("8 processes with 5 calls a second each, and the default options", () => {
  it("roll back at most 1 % of 200 canaries that are as good as the stable target", { timeout: 300_000 }, async () => {
    let rolledBack = 0;
    let finished = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const fleet = new Fleet({ ...eight, seed });
      await fleet.run(600_000, () => fleet.states().every((state) => state === "finished" || state === "rolled-back"));
      if (fleet.states().includes("rolled-back")) rolledBack++;
      if (fleet.states().every((state) => state === "finished")) finished++;
      fleet.close();
    }
    expect([rolledBack <= 2, finished]).toEqual([true, 200 - rolledBack]);
  });

  it("roll a canary with 5 % more errors back everywhere within 10 s of the moment at which the test can know it", {
    timeout: 120_000,
  }, async () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      const fleet = new Fleet({ ...eight, seed, second: { failures: () => 0.07 } });
      // Between two looks of this test, evidence may pass the bound and fall below it again.
      await fleet.run(900_000, () => canBeKnown(fleet) || fleet.states().includes("rolled-back"));
      const knownAt = fleet.clock.now();
      await fleet.run(60_000, () => fleet.states().every((state) => state === "rolled-back"));
      delays.push(fleet.clock.now() - knownAt);
      expect(new Set(fleet.states())).toEqual(new Set(["rolled-back"]));
      fleet.close();
    }
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
  });
});
