import { describe, expect, it } from "vitest";
import { RecentCount } from "../../../src/core/observing/recent-count.ts";

describe("RecentCount", () => {
  it("counts what came in the last minute, to five seconds", () => {
    const recent = new RecentCount();
    expect(recent.at(0)).toBe(0);
    for (let now = 0; now < 300_000; now += 100) recent.add(now);
    expect(recent.at(299_900)).toBe(600);
    expect(recent.at(302_000)).toBe(550);
    expect(recent.at(354_000)).toBe(50);
    expect(recent.at(360_000)).toBe(0);
  });

  it("forgets what came before a pause of more than a minute", () => {
    const recent = new RecentCount();
    for (let now = 0; now < 60_000; now += 1_000) recent.add(now);
    recent.add(200_000);
    expect(recent.at(200_000)).toBe(1);
    recent.add(203_000);
    recent.add(206_000);
    expect(recent.at(206_000)).toBe(3);
  });

  it("counts parts of a minute that nothing came in as empty", () => {
    const recent = new RecentCount();
    recent.add(1_000);
    recent.add(41_000);
    expect(recent.at(41_000)).toBe(2);
    expect(recent.at(62_000)).toBe(1);
  });
});
