import { describe, expect, it } from "vitest";
import { adaptive } from "../../src/index.ts";
import { type ServerAnswer, type ServerMoment, type SimulationResult, simulate, warmingLatency } from "../../src/testing/index.ts";

const bare = { retry: false, breaker: false } as const;

/** One in twenty takes ten times as long. */
const longTail =
  (meanMs: number) =>
  ({ random }: ServerMoment) =>
    ((random() < 0.05 ? 10 : 1) * meanMs) / 1.45;

const partOf = ({ servers }: SimulationResult, name: string) =>
  servers.filter((server) => server.name.startsWith(name)).reduce((sum, { share }) => sum + share, 0);

describe("adaptive where each client knows little", () => {
  it("sends fewer requests to slow instances although a client has a handful of answers of each", async () => {
    const result = await simulate({
      servers: [
        { name: "slow", copies: 6, answers: { latencyMs: longTail(800) } },
        { name: "fast", copies: 15, answers: { latencyMs: longTail(200) } },
      ],
      arrivals: { ratePerSecond: 65 },
      durationMs: 60_000,
      clients: 30,
      seed: 2,
      options: ({ random }) => ({ ...bare, attemptTimeoutMs: false, picker: adaptive({ random }) }),
    });
    expect(partOf(result, "slow")).toBeLessThan(0.225);
  });

  it("counts requests that time out as slow answers, among answers that do not", async () => {
    const result = await simulate({
      servers: [
        { name: "slow", answers: { latencyMs: longTail(1_400) } },
        { name: "fast", copies: 3, answers: { latencyMs: longTail(290) } },
      ],
      arrivals: { ratePerSecond: 8 },
      durationMs: 60_000,
      seed: 4,
      options: ({ random }) => ({ ...bare, picker: adaptive({ random }) }),
    });
    expect(partOf(result, "slow")).toBeLessThan(0.25);
  });

  it("tries a failing instance no sooner than after three of its turns", async () => {
    const { servers } = await simulate({
      servers: [
        { name: "bad", answers: [{ latencyMs: 20 }, { fromMs: 10_000, latencyMs: 2, fault: "reset" }] },
        { name: "good", copies: 7, answers: { latencyMs: 20 } },
      ],
      arrivals: { ratePerSecond: 60 },
      durationMs: 20_000,
      clients: 30,
      seed: 5,
      options: ({ random }) => ({ ...bare, picker: adaptive({ random }) }),
    });
    const [bad] = servers;
    expect(((bad?.requests ?? 0) - (bad?.successes ?? 0)) / 30).toBeLessThan(1.3);
  });
});

describe("adaptive where instances are slow because they are called too rarely", () => {
  it("gives them requests until they are warm, at the very rate below which they become cold", async () => {
    const { servers } = await simulate({
      servers: Array.from({ length: 10 }, (_, at) => ({ name: `s${at}`, answers: { latencyMs: warmingLatency({ warmMs: 10 }) } })),
      arrivals: { ratePerSecond: 50 },
      durationMs: 130_000,
      seed: 1_000,
      options: ({ random }) => ({ picker: adaptive({ random }) }),
    });
    expect(Math.min(...servers.map(({ share }) => share))).toBeGreaterThan(0.08);
  });
});

describe("adaptive where all instances that are well are too busy", () => {
  it("tries others in place of one that fails, which would fail anyway", async () => {
    const good: ServerAnswer = { latencyMs: { exponentialMs: 70, leastMs: 15 } };
    const { timeline } = await simulate({
      servers: [
        { name: "good", workers: 4, queue: 200, answers: good },
        {
          name: "healed",
          copies: 2,
          workers: 4,
          queue: 200,
          answers: [good, { fromMs: 5_000, latencyMs: 1_000, status: 503 }, { fromMs: 25_000, ...good }],
        },
        { name: "refusing", workers: 4, queue: 200, answers: [good, { fromMs: 20_000, latencyMs: 2, status: 404 }] },
      ],
      arrivals: { ratePerSecond: 110 },
      durationMs: 40_000,
      clients: 3,
      seed: 7,
      timelineParts: 8,
      options: ({ random }) => ({ ...bare, picker: adaptive({ random }) }),
    });
    const late = timeline.slice(6);
    const sum = (read: (part: (typeof late)[number]) => number) => late.reduce((total, part) => total + read(part), 0);
    expect(sum(({ successes }) => successes) / sum(({ requests }) => requests)).toBeGreaterThan(0.9);
  });
});
