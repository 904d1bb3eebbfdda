import { expect, it } from "vitest";
import { RecentPicks } from "../../../src/balancer/learning/recent-picks.ts";

it("recent picks are those of about the last minute", () => {
  const picks = new RecentPicks();
  expect(picks.at(0)).toBe(0);
  for (let pick = 0; pick < 100; pick++) picks.add(pick);
  expect(picks.at(99)).toBeGreaterThan(99);
  expect(picks.at(20_000)).toBeLessThan(40);
  expect(picks.at(60_000)).toBeLessThan(6);
  // A clock that goes back.
  expect(picks.at(-5)).toBeGreaterThan(99);
});
