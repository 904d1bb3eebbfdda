import { expect, test } from "vitest";
import { LatencyByLoad } from "../../../../src/server/inbound/load/latency-by-load.ts";

test("tells the latency of the present load, and of the nearest one that is known", () => {
  const latencies = new LatencyByLoad();
  expect(latencies.at(1)).toBe(0);
  latencies.add(1, 10, 0);
  latencies.add(64, 200, 0);
  expect([0, 1, 2, 3, 30, 64, 100, 1_000_000].map((inFlight) => latencies.at(inFlight))).toEqual([10, 10, 10, 10, 200, 200, 200, 200]);
});

test("follows what changes, and forgets what is old", () => {
  const latencies = new LatencyByLoad();
  latencies.add(1, 10, 0);
  latencies.add(1, 110, 100);
  expect(latencies.at(1)).toBeCloseTo(20);
  latencies.add(1, 5, 60_000);
  expect(latencies.at(1)).toBe(5);
});
