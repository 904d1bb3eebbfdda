import fc from "fast-check";
import { expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { RetryBudget } from "../../src/policies/retry/retry-budget.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

/** The window that the budget promises. */
const windowMs = 10_000;
/** Its tolerance: it forgets by whole seconds, so that it looks back over 9 to 10 of them. */
const slotMs = 1_000;

interface Entry {
  readonly atMs: number;
  readonly weight: number;
}

/** The sum over the `ms` milliseconds up to and with `nowMs`; what happened exactly `ms` ago is out. */
function within(entries: readonly Entry[], nowMs: number, ms: number): number {
  return entries.filter(({ atMs }) => atMs > nowMs - ms).reduce((sum, { weight }) => sum + weight, 0);
}

it("is never exceeded over a sliding window, and refuses nothing that a window shorter by one slot would allow", () => {
  const step = fc.oneof(
    fc.record({ deposits: fc.nat(40), weight: fc.constantFrom(1, 0.5) }),
    fc.record({ withdrawals: fc.nat(40) }),
    fc.record({ passesMs: fc.oneof(fc.nat(1_500), fc.constantFrom(999, 1_000, 9_000, 9_999, 10_000, 10_001), fc.nat(30_000)) }),
  );
  const ratios = fc.oneof(fc.constantFrom(0, 0.1, 0.2, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  const floors = fc.oneof(fc.nat(5), fc.double({ min: 0, max: 5, noNaN: true }));
  fc.assert(
    fc.property(
      ratios,
      floors,
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.array(step, { maxLength: 60 }),
      (ratio, perSecond, start, steps) => {
        let now = start;
        const clock: Clock = { ...virtualClock(), now: () => now };
        const budget = new RetryBudget({ ratio, minRetriesPerSecond: perSecond }, clock);
        const requests: Entry[] = [];
        const retries: Entry[] = [];
        const floor = (perSecond * windowMs) / 1_000;
        for (const each of steps) {
          if ("passesMs" in each) now += each.passesMs;
          else if ("deposits" in each) {
            for (let count = 0; count < each.deposits; count++) {
              budget.deposit(each.weight);
              requests.push({ atMs: now, weight: each.weight });
            }
          } else {
            for (let count = 0; count < each.withdrawals; count++) {
              const isGranted = budget.withdraw();
              if (isGranted) {
                retries.push({ atMs: now, weight: 1 });
                const allowed = within(requests, now, windowMs) * ratio + floor;
                expect(within(retries, now, windowMs - slotMs)).toBeLessThanOrEqual(allowed + 1e-6);
                // Over the whole window the retries of the slot that is forgotten early come on top, and they were allowed in their time.
                expect(within(retries, now, windowMs)).toBeLessThanOrEqual(within(requests, now, 2 * windowMs) * ratio + 2 * floor + 1e-6);
              } else {
                const atLeast = within(requests, now, windowMs - slotMs) * ratio + floor;
                expect(within(retries, now, windowMs) + 1).toBeGreaterThan(atLeast - 1e-6);
                // Refused once, refused until a request is made or time passes.
                expect(budget.withdraw()).toBe(false);
                break;
              }
            }
          }
        }
      },
    ),
    { numRuns: 400 },
  );
});
