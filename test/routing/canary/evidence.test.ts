import { describe, expect, it } from "vitest";
import { noCounts, type StepCounts } from "../../../src/routing/canary/canary-counts.ts";
import { evidenceOf, excessOf, meanOfEvidence } from "../../../src/routing/canary/evidence.ts";
import { seededRandom } from "../../../src/testing/index.ts";

function counts(stable: readonly [calls: number, failed: number], canary: readonly [calls: number, failed: number]): StepCounts {
  return {
    stable: { ...noCounts().stable, calls: stable[0], failed: stable[1], counted: stable[1] },
    canary: { ...noCounts().canary, calls: canary[0], failed: canary[1], counted: canary[1] },
  };
}

describe("the evidence", () => {
  it("is none without a failure, grows with those of the canary and falls with those of the stable target", () => {
    expect(evidenceOf("counted", [noCounts()], [0.05])).toBeCloseTo(0, 10);
    const few = evidenceOf("counted", [counts([950, 1], [50, 3])], [0.05]);
    expect(few).toBeGreaterThan(evidenceOf("counted", [counts([950, 1], [50, 2])], [0.05]));
    expect(few).toBeGreaterThan(evidenceOf("counted", [counts([950, 20], [50, 3])], [0.05]));
    expect(evidenceOf("counted", [counts([950, 19], [50, 1])], [0.05])).toBeLessThan(0);
  });

  it("has a mean of 1 over all that chance may bring, as an e-value, for each number of failures", () => {
    for (const [share, failures] of [
      [0.01, 40],
      [0.25, 12],
      [0.5, 9],
    ] as const) {
      let mean = 0;
      let binomial = (1 - share) ** failures;
      for (let canary = 0; canary <= failures; canary++) {
        mean += binomial * Math.exp(evidenceOf("counted", [counts([0, failures - canary], [0, canary])], [share]));
        binomial *= ((failures - canary) / (canary + 1)) * (share / (1 - share));
      }
      expect(mean).toBeCloseTo(1, 6);
    }
  });

  it("of equals reaches 400 in no more than 1 of 400 runs that look at it after each failure, through steps and outages of all", () => {
    const random = seededRandom(7);
    const shares = [0.01, 0.05, 0.25, 0.5];
    let alarms = 0;
    const runs = 2_000;
    for (let run = 0; run < runs; run++) {
      const steps = shares.map(() => counts([0, 0], [0, 0]));
      let highest = 0;
      for (const [step, share] of shares.entries()) {
        for (let failure = 0; failure < 60; failure++) {
          const { stable, canary } = steps[step] as StepCounts;
          (random() < share ? canary : stable).counted++;
          highest = Math.max(highest, evidenceOf("counted", steps, shares));
        }
      }
      if (highest >= Math.log(400)) alarms++;
    }
    expect(alarms / runs).toBeLessThanOrEqual(1 / 400);
  });

  it("says nothing of a share of all, and the mean of several is no more than the greatest", () => {
    expect(evidenceOf("counted", [counts([0, 0], [100, 100])], [1])).toBeCloseTo(0, 10);
    expect(meanOfEvidence([3, 3, 3])).toBeCloseTo(3, 10);
    expect(meanOfEvidence([10, 0, 0, 0])).toBeCloseTo(10 - Math.log(4), 3);
  });
});

describe("the excess", () => {
  it("is the difference of the rates of failure", () => {
    expect(excessOf([counts([900, 9], [100, 6])])).toBeCloseTo(0.05, 10);
    expect(excessOf([noCounts()])).toBe(0);
  });

  it("is none where all failed while the share of the canary was large", () => {
    const quiet = counts([9_900, 99], [100, 1]);
    const outage = counts([500, 250], [500, 250]);
    expect(excessOf([quiet, outage])).toBeCloseTo(0, 10);
  });
});
