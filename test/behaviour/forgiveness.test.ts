import { describe, expect, it } from "vitest";
import { adaptive } from "../../src/index.ts";
import type { ServerAnswer } from "../../src/testing/index.ts";
import { simulate } from "../../src/testing/index.ts";

const bads: Readonly<Record<string, ServerAnswer>> = {
  "is thirty times slower": { latencyMs: { exponentialMs: 300 } },
  "answers 500 at once": { latencyMs: 1, status: 500 },
  "answers 503 at once": { latencyMs: 1, status: 503 },
  hangs: { fault: "hang" },
  "refuses connections": { fault: "refuse" },
  "resets connections": { latencyMs: 2, fault: "reset" },
};
const good: ServerAnswer = { latencyMs: { exponentialMs: 10 } };
const healedAt = 20;

interface Forgiveness {
  readonly halfBackAfter: number;
  readonly failedAttempts: number;
}

/** One of four instances is bad from the 10th to the 20th second. */
async function played(bad: ServerAnswer, method: string): Promise<Forgiveness> {
  const result = await simulate({
    servers: [
      { name: "was bad", workers: 20, answers: [good, { fromMs: 10_000, ...bad }, { fromMs: 1_000 * healedAt, ...good }] },
      { name: "good", copies: 3, workers: 20, answers: good },
    ],
    arrivals: { ratePerSecond: 200 },
    durationMs: 45_000,
    requests: [{ path: "/", method }],
    timelineParts: 90,
    seed: 5,
    options: ({ random }) => ({ picker: adaptive({ random }), attemptTimeoutMs: 500 }),
  });
  const { timeline, servers } = result;
  const isBack = (from: number) => {
    const parts = timeline.slice(from, from + 6).map(({ attempts }) => attempts);
    const all = parts.flat().reduce((sum, count) => sum + count, 0);
    return parts.reduce((sum, [first = 0]) => sum + first, 0) >= all / 8;
  };
  const at = timeline.findIndex(({ fromMs }, index) => fromMs >= 1_000 * healedAt && isBack(index));
  const [was] = servers;
  return {
    halfBackAfter: at < 0 ? Number.POSITIVE_INFINITY : (timeline[at]?.fromMs ?? 0) / 1_000 - healedAt,
    failedAttempts: (was?.requests ?? 0) - (was?.successes ?? 0),
  };
}

describe("adaptive after a fault of ten seconds", () => {
  for (const [what, bad] of Object.entries(bads)) {
    for (const method of ["GET", "POST"]) {
      it(`gives an instance that ${what} half of its fair share of ${method}s back within eight seconds`, async () => {
        const { halfBackAfter, failedAttempts } = await played(bad, method);
        expect(halfBackAfter).toBeLessThanOrEqual(8);
        expect(failedAttempts).toBeLessThanOrEqual(method === "POST" ? 4 : 10);
      });
    }
  }
});
