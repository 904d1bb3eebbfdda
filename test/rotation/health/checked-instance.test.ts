import { expect, it } from "vitest";
import { CheckedInstance } from "../../../src/rotation/health/checked-instance.ts";
import { testUpstream } from "../../../src/testing/request.ts";

const thresholds = { unhealthyThreshold: 3, healthyThreshold: 2 };

/** What each of these results makes of a new instance: `+` has passed, `-` has failed. */
function changesBy(results: string): readonly (string | undefined)[] {
  const instance = new CheckedInstance(testUpstream(), 0);
  return [...results].map((result) => instance.learn(result === "+" ? undefined : new Error("no"), { atMs: 1, durationMs: 2 }, thresholds));
}

it("an instance is unhealthy at its first failure, if that is the first check of all, and else after three in a row", () => {
  expect(changesBy("-")).toEqual(["unhealthy"]);
  expect(changesBy("+--+--")).toEqual(Array(6).fill(undefined));
  expect(changesBy("+---")).toEqual([undefined, undefined, undefined, "unhealthy"]);
  expect(
    changesBy("+-----").filter((each) => each !== undefined),
    "once",
  ).toEqual(["unhealthy"]);
});

it("an instance is healthy again after two passes in a row", () => {
  expect(changesBy("-+-++")).toEqual(["unhealthy", undefined, undefined, undefined, "healthy"]);
  expect(
    changesBy("-++++").filter((each) => each !== undefined),
    "once",
  ).toEqual(["unhealthy", "healthy"]);
});

it("the last result says how often it came in a row, and why it failed", () => {
  const instance = new CheckedInstance(testUpstream(), 0);
  expect([instance.result, instance.isOut]).toEqual([undefined, false]);
  instance.learn(new Error("it answered 503"), { atMs: 1, durationMs: 2 }, thresholds);
  instance.learn("odd", { atMs: 3, durationMs: 4 }, thresholds);
  expect([instance.result, instance.isOut]).toEqual([{ passed: false, atMs: 3, durationMs: 4, inRow: 2, error: "odd" }, true]);
  instance.learn(undefined, { atMs: 5, durationMs: 6 }, thresholds);
  expect(instance.result).toEqual({ passed: true, atMs: 5, durationMs: 6, inRow: 1, error: undefined });
});
