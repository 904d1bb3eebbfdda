import { expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

it("fires timers in the order of time, each at its own time", async () => {
  const clock = virtualClock();
  const calls: string[] = [];
  for (const delayMs of [30, 10, 20, 10]) clock.setTimer(() => calls.push(`${delayMs} at ${clock.now()}`), delayMs);
  await clock.advance(25);
  expect(calls).toEqual(["10 at 10", "10 at 10", "20 at 20"]);
  expect(clock.now()).toBe(25);
  expect(clock.pending).toEqual([{ inMs: 5, keepsProcess: true }]);
});

it("runs promise callbacks before time goes on, so that a timer set by one fires at its time", async () => {
  const clock = virtualClock();
  const seen: number[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  const loop = (async () => {
    for (let round = 0; round < 3; round++) {
      await wait(10);
      await Promise.resolve();
      seen.push(clock.now());
    }
  })();
  await clock.advance(30);
  await loop;
  expect(seen).toEqual([10, 20, 30]);
});

it("does not fire a cleared timer, also when an earlier timer clears it", async () => {
  const clock = virtualClock();
  const calls: string[] = [];
  const later = clock.setTimer(() => calls.push("later"), 10);
  clock.setTimer(() => clock.clearTimer(later), 5, false);
  expect(clock.pending).toEqual([
    { inMs: 5, keepsProcess: false },
    { inMs: 10, keepsProcess: true },
  ]);
  await clock.advance(100);
  clock.clearTimer(later);
  expect(calls).toEqual([]);
});

it("has a wall clock that moves with it", async () => {
  const clock = virtualClock({ startMs: 1_000 });
  await clock.advance(234);
  expect(clock.wallNow()).toBe(1_234);
});
