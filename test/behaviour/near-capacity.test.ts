import { describe, expect, it } from "vitest";
import { adaptive, leastRequest } from "../../src/index.ts";
import { simulate } from "../../src/testing/index.ts";

interface Fleet {
  readonly count: number;
  readonly workers: number;
  readonly meanMs: number;
  readonly busy: number;
}

/** The part of the calls that succeed at instances that are all well, and so busy that some requests take longer than the time limit. */
async function successOf(make: typeof adaptive | typeof leastRequest, { count, workers, meanMs, busy }: Fleet): Promise<number> {
  const { successRatio } = await simulate({
    servers: [
      { name: "busy", copies: count, workers, queue: 200, answers: { latencyMs: { exponentialMs: 0.8 * meanMs, leastMs: 0.2 * meanMs } } },
    ],
    arrivals: { ratePerSecond: (busy * count * workers * 1_000) / meanMs },
    durationMs: 40_000,
    seed: 3,
    options: ({ random }) => ({ retry: false, breaker: false, picker: make({ random }) }),
  });
  return successRatio;
}

describe("adaptive where all instances are near their capacity", () => {
  for (const fleet of [
    { count: 26, workers: 4, meanMs: 1_000, busy: 0.83 },
    { count: 10, workers: 4, meanMs: 800, busy: 0.85 },
    { count: 10, workers: 8, meanMs: 900, busy: 0.85 },
  ]) {
    it(`takes no timeouts for faults: ${fleet.count} instances of ${fleet.meanMs} ms, ${100 * fleet.busy} % busy`, async () => {
      expect(await successOf(adaptive, fleet)).toBeGreaterThan((await successOf(leastRequest, fleet)) - 0.06);
    });
  }
});
