import { expect, it } from "vitest";
import { group, orFalse } from "../../../src/core/settings/rules.ts";
import { ejectionOptions } from "../../../src/rotation/ejection/ejection-options.ts";

const rule = orFalse(group(ejectionOptions));

for (const [ejection, message] of [
  [true, "ejection must be an object with options, not true"],
  [null, "ejection must be an object with options, not null"],
  [[], "ejection must be an object with options, not an array"],
  [{ maxEjectionPercentage: 10 }, 'ejection has no option "maxEjectionPercentage"'],
  [JSON.parse('{"__proto__":1}'), 'ejection has no option "__proto__"'],
  [{ intervalMs: 0 }, "ejection.intervalMs must be from 1 to 2147483647, not 0"],
  [{ intervalMs: 2 ** 31 }, "ejection.intervalMs must be from 1 to 2147483647, not 2147483648"],
  [{ baseEjectionMs: -1 }, "ejection.baseEjectionMs must be at least 1, not -1"],
  [{ maxEjectionMs: "1" }, 'ejection.maxEjectionMs must be a number, not "1"'],
  [{ maxEjectionPercent: 0 }, "ejection.maxEjectionPercent must be from 1 to 100, not 0"],
  [{ maxEjectionPercent: 101 }, "ejection.maxEjectionPercent must be from 1 to 100, not 101"],
  [{ maxEjectionPercent: Number.NaN }, "ejection.maxEjectionPercent must be a number, not NaN"],
  [{ successRate: true }, "ejection.successRate must be an object with options, not true"],
  [{ successRate: { stdevFactor: 1 } }, 'ejection.successRate has no option "stdevFactor"'],
  [{ successRate: { deviations: -1 } }, "ejection.successRate.deviations must be at least 0, not -1"],
  [{ successRate: { minCalls: 0.5 } }, "ejection.successRate.minCalls must be at least 1, not 0.5"],
  [{ successRate: { minInstances: 1 } }, "ejection.successRate.minInstances must be at least 2, not 1"],
  [{ failurePercentage: 85 }, "ejection.failurePercentage must be an object with options, not 85"],
  [{ failurePercentage: { percent: 85 } }, 'ejection.failurePercentage has no option "percent"'],
  [{ failurePercentage: { threshold: 0 } }, "ejection.failurePercentage.threshold must be from 1 to 100, not 0"],
  [{ failurePercentage: { minCalls: 1.5 } }, "ejection.failurePercentage.minCalls must be a whole number, not 1.5"],
  [{ failurePercentage: { minInstances: 0 } }, "ejection.failurePercentage.minInstances must be at least 2, not 0"],
] as const) {
  it(`refuses ${JSON.stringify(ejection)}: ${message}`, () => {
    expect(() => rule.check("ejection", ejection as never)).toThrow(message);
  });
}

it("takes what is right", () => {
  for (const ejection of [
    undefined,
    false,
    {},
    { successRate: false, failurePercentage: false },
    { intervalMs: 1, baseEjectionMs: 1, maxEjectionMs: 1, maxEjectionPercent: 100, successRate: {}, failurePercentage: { threshold: 100 } },
  ] as const)
    expect(() => rule.check("ejection", ejection)).not.toThrow();
});
