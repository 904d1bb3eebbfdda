import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryBudget } from "../../../src/policies/retry/retry-budget.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

function drain(budget: RetryBudget): number {
  let retries = 0;
  while (retries < 100_000 && budget.withdraw()) retries++;
  return retries;
}

describe("RetryBudget", () => {
  it("allows ten retries a second over ten seconds, and a fifth of the requests on top", () => {
    const clock = virtualClock();
    expect(drain(new RetryBudget({}, clock))).toBe(100);
    const budget = new RetryBudget({}, clock);
    for (let request = 0; request < 1_000; request++) budget.deposit();
    expect(drain(budget)).toBe(300);
  });

  it("allows nothing but the share where there is no floor, and nothing at all with neither", () => {
    const budget = new RetryBudget({ ratio: 0.5, minRetriesPerSecond: 0 }, virtualClock());
    expect(drain(budget)).toBe(0);
    budget.deposit();
    expect(drain(budget)).toBe(0);
    budget.deposit();
    expect(drain(budget)).toBe(1);
    expect(drain(new RetryBudget({ ratio: 0, minRetriesPerSecond: 0 }, virtualClock()))).toBe(0);
  });

  it("forgets requests and retries after ten seconds", async () => {
    const clock = virtualClock();
    const budget = new RetryBudget({ ratio: 0.2, minRetriesPerSecond: 0 }, clock);
    for (let request = 0; request < 100; request++) budget.deposit();
    expect(drain(budget)).toBe(20);
    await clock.advance(9_999);
    expect(drain(budget)).toBe(0);
    budget.deposit();
    await clock.advance(1);
    expect(drain(budget), "the requests are gone with the retries").toBe(0);
    for (let request = 0; request < 9; request++) budget.deposit();
    expect(drain(budget)).toBe(2);
    await clock.advance(3_600_000);
    expect(drain(budget)).toBe(0);
  });

  it("is never exceeded, whatever comes in whatever order", async () => {
    const step = fc.record({ pauseMs: fc.oneof(fc.constant(0), fc.nat(3_000), fc.nat(60_000)), requests: fc.nat(60), retries: fc.nat(60) });
    const options = fc.record({ ratio: fc.double({ min: 0, max: 1, noNaN: true }), perSecond: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { maxLength: 30 }), async ({ ratio, perSecond }, steps) => {
        const clock = virtualClock();
        await clock.advance(123_456);
        const budget = new RetryBudget({ ratio, minRetriesPerSecond: perSecond }, clock);
        const requests: number[] = [];
        const retries: number[] = [];
        const second = () => Math.floor(clock.now() / 1_000);
        const recent = (list: readonly number[]) => list.filter((at) => at > second() - 10).length;
        for (const { pauseMs, requests: made, retries: wanted } of steps) {
          await clock.advance(pauseMs);
          for (let index = 0; index < made; index++) {
            budget.deposit();
            requests.push(second());
          }
          for (let index = 0; index < wanted; index++) {
            const mayRetry = recent(retries) + 1 <= recent(requests) * ratio + perSecond * 10;
            expect(budget.withdraw()).toBe(mayRetry);
            if (mayRetry) retries.push(second());
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
