import { expect, test } from "vitest";
import { ProcessLoad } from "../../../../src/server/inbound/load/process-load.ts";
import { virtualClock } from "../../../../src/testing/virtual-clock.ts";

test("runs while requests come or are under way, and has no timer otherwise", async () => {
  const clock = virtualClock();
  let busy = false;
  const load = new ProcessLoad(
    clock,
    () => busy,
    () => undefined,
  );
  const ticks: boolean[] = [];
  load.onTick((goesOn) => ticks.push(goesOn));
  expect(clock.pending).toEqual([]);
  load.touch();
  load.touch();
  expect(clock.pending).toHaveLength(1);
  busy = true;
  await clock.advance(1_000);
  expect(ticks).toEqual(new Array(10).fill(true));
  busy = false;
  await clock.advance(200);
  expect([ticks.at(-1), clock.pending]).toEqual([false, []]);
  load.touch();
  expect(clock.pending).toHaveLength(1);
  load.close();
  expect(clock.pending).toEqual([]);
  load.touch();
  expect(clock.pending).toEqual([]);
});

test("samples twice a second, and once more when requests end", async () => {
  const clock = virtualClock();
  let busy = true;
  const load = new ProcessLoad(
    clock,
    () => busy,
    () => undefined,
  );
  const samples: number[] = [];
  load.onSample((elapsedMs) => samples.push(elapsedMs));
  load.touch();
  await clock.advance(1_000);
  busy = false;
  await clock.advance(100);
  expect(samples).toEqual([500, 500, 100]);
});
