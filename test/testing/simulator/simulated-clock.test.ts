import { expect, it } from "vitest";
import { SimulatedClock } from "../../../src/testing/simulator/simulated-clock.ts";

const never = () => false;

it("runs all promise callbacks before time goes on, however long the chain", async () => {
  const clock = new SimulatedClock();
  const seen: number[] = [];
  for (let count = 0; count < 300; count++) {
    clock.setTimer(() => {
      void (async () => {
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
        await new Promise<void>((resolve) => process.nextTick(resolve));
        for (let turn = 0; turn < 100; turn++) await Promise.resolve();
        seen.push(clock.now());
      })();
    }, count);
  }
  await clock.run(1_000, never);
  expect(seen).toEqual(Array.from({ length: 300 }, (_, count) => count));
});

it("fires a timer that a promise callback sets at its time among the others", async () => {
  const clock = new SimulatedClock();
  const seen: string[] = [];
  clock.setTimer(() => void Promise.resolve().then(() => clock.setTimer(() => seen.push(`set late at ${clock.now()}`), 5)), 10);
  clock.setTimer(() => seen.push(`set early at ${clock.now()}`), 16);
  await clock.run(100, never);
  expect(seen).toEqual(["set late at 15", "set early at 16"]);
});

it("stops at the end, or as soon as isDone returns true", async () => {
  const clock = new SimulatedClock();
  const seen: number[] = [];
  for (const ms of [1, 2, 3, 4]) clock.setTimer(() => seen.push(ms), ms);
  await clock.run(100, () => seen.length === 2);
  expect(seen).toEqual([1, 2]);
  await clock.run(3, never);
  expect(seen).toEqual([1, 2, 3]);
});

it("rejects with what a callback throws", async () => {
  const clock = new SimulatedClock();
  clock.setTimer(() => {
    throw new Error("a scenario's function");
  }, 1);
  await expect(clock.run(10, never)).rejects.toThrow("a scenario's function");
});
