import { describe, expect, it } from "vitest";
import { Pace } from "../../../src/registries/consul/pace.ts";
import { ManualClock } from "../manual-clock.ts";

describe("the pace of a watch", () => {
  it("lets two questions through at once and spaces the others", () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 500);
    expect([pace.take(), pace.take(), pace.take()]).toEqual([0, 0, 500]);
    clock.advance(500);
    expect(pace.take()).toBe(500);
  });

  it("saves up two questions in a quiet time, and no more", () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 500);
    clock.advance(3_600_000);
    expect([pace.take(), pace.take(), pace.take()]).toEqual([0, 0, 500]);
  });
});
