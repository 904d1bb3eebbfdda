import { describe, expect, it } from "vitest";
import { type SimulatedServer, simulate } from "../../../src/testing/index.ts";

/** The mean time at one server, at `ratePerSecond` random arrivals. */
async function meanMs(server: Omit<SimulatedServer, "name">, ratePerSecond: number): Promise<number> {
  const result = await simulate({
    servers: [server],
    arrivals: { ratePerSecond },
    durationMs: 1_500_000,
    options: { timeoutMs: false, attemptTimeoutMs: false, retry: false, breaker: false },
    timelineParts: 0,
    seed: 7,
  });
  expect(result.successRatio).toBe(1);
  return result.meanMs;
}

/** Relative tolerance in percent, for the random deviation of 75,000 requests. */
function expectNear(value: number, expected: number, percent: number): void {
  expect(Math.abs(value / expected - 1) * 100, `${value} instead of ${expected}`).toBeLessThan(percent);
}

describe("the waiting time at a server with workers and a queue follows queueing theory", () => {
  it("M/M/1: 1 / (μ − λ)", async () => {
    expectNear(await meanMs({ workers: 1, answers: { latencyMs: { exponentialMs: 10 } } }, 50), 20, 3);
  });

  it("M/D/1: s + ρ s / 2 (1 − ρ)", async () => {
    expectNear(await meanMs({ workers: 1, answers: { latencyMs: 10 } }, 50), 15, 2);
  });

  it("M/M/2: s / (1 − ρ²)", async () => {
    expectNear(await meanMs({ workers: 2, answers: { latencyMs: { exponentialMs: 20 } } }, 50), 20 / (1 - 0.5 ** 2), 3);
  });

  it("without a limit of workers no request waits", async () => {
    expectNear(await meanMs({ answers: { latencyMs: { exponentialMs: 40 } } }, 50), 40, 2);
  });
});
