import { expect, it } from "vitest";
import { Pause, pauseMs } from "../../src/circuit/pause.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

it("a pause doubles with each failed probe up to the longest, and is varied by ± 20 %", () => {
  const pauses = { baseMs: 1_000, maxMs: 5_000 };
  const lengths = (random: number) => [0, 1, 2, 3, 2_000].map((failedProbes) => Math.round(pauseMs(pauses, failedProbes, () => random)));
  expect(lengths(0.5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(lengths(0)).toEqual([800, 1_600, 3_200, 4_000, 4_000]);
  expect(lengths(0.999_999)).toEqual([1_200, 2_400, 4_800, 6_000, 6_000]);
});

it("a pause is never longer than a timer can be set for", () => {
  expect(pauseMs({ baseMs: 1, maxMs: 1e12 }, 2_000, () => 0.5)).toBe(2 ** 31 - 1);
});

it("a pause is over at its time, unless it is cancelled, and keeps no process alive", async () => {
  const clock = virtualClock();
  const over: string[] = [];
  const pause = new Pause(clock, 500, () => over.push("first"));
  const cancelled = new Pause(clock, 500, () => over.push("second"));
  expect([pause.untilMs, clock.pending.map(({ keepsProcess }) => keepsProcess)]).toEqual([clock.wallNow() + 500, [false, false]]);
  cancelled.cancel();
  await clock.advance(499);
  expect(over).toEqual([]);
  await clock.advance(1);
  expect([over, clock.pending]).toEqual([["first"], []]);
});
