import { describe, expect, it } from "vitest";
import { adaptive, leastRequest, random, roundRobin } from "../../../src/index.ts";
import { type Scenario, type ServerPhase, type SimulatedServer, simulate } from "../../../src/testing/index.ts";

const bare = { retry: false, breaker: false } as const;

/** One second of a hundred calls at equal distances, unless `more` says otherwise. */
function play(servers: readonly SimulatedServer[], more: Partial<Scenario> = {}) {
  return simulate({
    servers,
    arrivals: { ratePerSecond: 100, spacing: "uniform" },
    durationMs: 1_000,
    options: ({ random: chance }) => ({ ...bare, picker: roundRobin({ random: chance }) }),
    ...more,
  });
}

const messy: Scenario = {
  name: "messy",
  servers: [
    { copies: 4, workers: 2, answers: { latencyMs: { exponentialMs: 20 }, errors: { ratio: 0.05, status: 503 } } },
    { name: "crashing", answers: [{ latencyMs: [5, 30] }, { fromMs: 2_000, fault: "refuse" }, { fromMs: 4_000, latencyMs: 10 }] },
    { name: "hanging", answers: [{ latencyMs: 10 }, { fromMs: 3_000, fault: "hang" }] },
    { name: "late", listedFromMs: 1_000, answers: { latencyMs: 10, status: ({ random: chance }) => (chance() < 0.1 ? 500 : 200) } },
  ],
  arrivals: {
    ratePerSecond: [
      { fromMs: 0, ratePerSecond: 100 },
      { fromMs: 2_000, ratePerSecond: 300 },
    ],
  },
  durationMs: 6_000,
  clients: 5,
  requests: [
    { path: "/a", keys: 10 },
    { path: "/b", method: "POST", share: 0.5 },
  ],
  options: ({ random: chance }) => ({ picker: adaptive({ random: chance }) }),
};

describe("a result", () => {
  it("is the same to the byte for the same seed, and different for another", async () => {
    const [one, again, other] = [await simulate(messy), await simulate(messy), await simulate({ ...messy, seed: 2 })];
    expect(JSON.stringify(again)).toBe(JSON.stringify(one));
    expect(JSON.stringify({ ...other, seed: 1 })).not.toBe(JSON.stringify(one));
    expect(one.outcomes["500"]).toBeGreaterThan(0);
  });

  it("has calls that do not depend on the picker", async () => {
    const results = [adaptive(), leastRequest(), random()].map((picker) => simulate({ ...messy, options: { picker } }));
    const [first, ...others] = (await Promise.all(results)).map(({ timeline }) => timeline.map(({ requests }) => requests));
    for (const other of others) expect(other).toEqual(first);
  });

  it("gives each call the same luck with every picker when chance is that of the request", async () => {
    const servers: SimulatedServer[] = [
      { name: "one", copies: 5, answers: { latencyMs: { exponentialMs: 20 }, errors: { ratio: 0.05, status: 404, latencyMs: 2 } } },
    ];
    const pickers = [roundRobin, leastRequest, random, adaptive];
    const own = (chance: "server" | "request") => pickers.map((make) => play(servers, { chance, options: { ...bare, picker: make() } }));
    const figures = async (results: readonly ReturnType<typeof play>[]) =>
      (await Promise.all(results)).map(({ successRatio, meanMs }) => `${successRatio.toFixed(6)} ${meanMs.toFixed(6)}`);
    expect(new Set(await figures(own("request"))).size).toBe(1);
    expect(new Set(await figures(own("server"))).size).toBeGreaterThan(1);
  });

  it("draws the luck of a retry anew", async () => {
    const flaky: SimulatedServer[] = [{ name: "one", copies: 3, answers: { latencyMs: 5, errors: { ratio: 0.3, status: 503 } } }];
    const { successRatio, attemptsPerRequest } = await play(flaky, {
      chance: "request",
      options: { breaker: false, picker: roundRobin() },
    });
    expect(attemptsPerRequest).toBeGreaterThan(1.05);
    expect(successRatio).toBeGreaterThan(0.75);
  });

  it("takes errors of several kinds, each out of what the kinds before it have left", async () => {
    const errors = [
      { ratio: 0.5, status: 404 },
      { ratio: 0.5, status: 503 },
    ];
    const { outcomes } = await play([{ answers: { latencyMs: 1, errors } }], { durationMs: 20_000 });
    expect((outcomes["404"] ?? 0) / 2_000).toBeCloseTo(0.5, 1);
    expect((outcomes["503"] ?? 0) / 2_000).toBeCloseTo(0.25, 1);
    expect((outcomes["200"] ?? 0) / 2_000).toBeCloseTo(0.25, 1);
  });

  it("adds up", async () => {
    const { requests, successes, successRatio, outcomes, servers, timeline, attemptsPerRequest } = await simulate(messy);
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    expect(sum(Object.values(outcomes))).toBe(requests);
    expect(successes).toBe(outcomes["200"]);
    expect(successRatio).toBe(successes / requests);
    expect(sum(servers.map(({ share }) => share))).toBeCloseTo(1);
    expect(sum(timeline.map((part) => part.requests))).toBe(requests);
    expect(sum(timeline.map((part) => part.successes))).toBe(successes);
    // Retries after the end of the last part are in no part.
    expect(sum(timeline.flatMap(({ attempts }) => attempts)) / sum(servers.map((server) => server.requests))).toBeGreaterThan(0.99);
    expect(sum(servers.map((server) => server.requests))).toBe(Math.round(attemptsPerRequest * requests));
    expect(attemptsPerRequest).toBeGreaterThan(1);
  });

  it("has means and quantiles of all calls, and of the successes alone", async () => {
    const result = await play([{ answers: { latencyMs: ({ before }) => before + 1, status: ({ before }) => (before < 10 ? 500 : 200) } }]);
    expect(result).toMatchObject({ requests: 100, successes: 90, meanMs: 50.5, p50Ms: 50, p99Ms: 99, p999Ms: 100 });
    expect(result.ofSuccesses).toEqual({ meanMs: 55.5, p50Ms: 55, p99Ms: 100, p999Ms: 100 });
  });

  it("counts the clients that sent a server a request", async () => {
    const { servers, imbalance } = await play([{ copies: 2, answers: {} }], { clients: 7, timelineParts: 0 });
    expect(servers.map(({ connections }) => connections)).toEqual([7, 7]);
    expect(imbalance).toBe((2 * Math.max(...servers.map(({ requests }) => requests))) / 100);
  });
});

describe("a client", () => {
  it("gives up an attempt at a server that hangs after its time limit, which is a failure", async () => {
    const result = await play([{ answers: { fault: "hang" } }], { options: { ...bare, attemptTimeoutMs: 700 } });
    expect(result).toMatchObject({ successes: 0, meanMs: 700, outcomes: { ERR_MESH_TIMEOUT: 100 }, attemptsPerRequest: 1 });
    expect(result.servers[0]).toMatchObject({ requests: 100, successes: 0, maxInFlight: 70 });
  });

  it("without time limits waits until the end, which is a failure too", async () => {
    const options = { ...bare, attemptTimeoutMs: false, timeoutMs: false } as const;
    const result = await play([{ answers: [{}, { fromMs: 500, fault: "hang" }] }], { options, drainMs: 1_000 });
    expect(result).toMatchObject({ requests: 100, successes: 50, successRatio: 0.5, meanMs: 10, outcomes: { 200: 50, unanswered: 50 } });
  });

  it("retries on another server, and every attempt is counted", async () => {
    const options = () => ({ breaker: false, picker: roundRobin({ random: () => 0 }), retry: { budget: { ratio: 1 } } }) as const;
    const result = await play(
      [
        { name: "good", answers: {} },
        { name: "bad", answers: { fault: "refuse" } },
      ],
      { options },
    );
    expect(result).toMatchObject({ successRatio: 1, attemptsPerRequest: 1.5 });
    expect(result.servers.map(({ name, requests, share }) => ({ name, requests, share: share.toFixed(3) }))).toEqual([
      { name: "good", requests: 100, share: "0.667" },
      { name: "bad", requests: 50, share: "0.333" },
    ]);
  });

  it("has breakers that work in virtual time", async () => {
    const servers: SimulatedServer[] = [
      { name: "good", answers: {} },
      { name: "bad", answers: [{ status: 503 }, { fromMs: 20_000 }] },
    ];
    const more = { durationMs: 60_000, requests: [{ method: "POST" }], timelineParts: 3 };
    const withBreakers = await play(servers, { ...more, options: { picker: roundRobin(), retry: false } });
    const without = await play(servers, more);
    expect(without.timeline.map(({ attempts }) => attempts[1])).toEqual([1_000, 1_000, 1_000]);
    expect(withBreakers.timeline[0]?.attempts[1]).toBeLessThan(60);
    expect(withBreakers.timeline[2]?.attempts[1]).toBeGreaterThan(950);
  });

  it("does not know what other clients have learnt", async () => {
    const seen: number[] = [];
    const options: Scenario["options"] = ({ index, random: chance }) => {
      seen.push(index);
      return { ...bare, picker: roundRobin({ random: chance }) };
    };
    const one = await play([{ copies: 10, workers: 1, answers: { latencyMs: 90 } }], { options, durationMs: 20_000 });
    const many = await play([{ copies: 10, workers: 1, answers: { latencyMs: 90 } }], { options, durationMs: 20_000, clients: 200 });
    expect(seen).toEqual([0, ...Array.from({ length: 200 }, (_, index) => index)]);
    expect(one.meanMs).toBe(90);
    expect(many.meanMs).toBeGreaterThan(120);
  });
});

describe("a server", () => {
  const phases: readonly (readonly [string, ServerPhase, Record<string, number>, number])[] = [
    ["refuses connections", { fault: "refuse" }, { ERR_MESH_CONNECT: 100 }, 1],
    ["cannot be reached", { fault: "unreachable" }, { ERR_MESH_CONNECT: 100 }, 1_000],
    ["loses connections", { fault: "reset", latencyMs: 25 }, { ERR_MESH_PROTOCOL: 100 }, 25],
    ["answers with errors", { status: 503, latencyMs: 3 }, { 503: 100 }, 3],
    ["fails on one path", { paths: { "/": { status: 404, latencyMs: 7 } } }, { 404: 100 }, 7],
    [
      "is told what to do by a function",
      { fault: ({ before }) => (before % 4 === 0 ? "refuse" : undefined), latencyMs: 5 },
      { 200: 75, ERR_MESH_CONNECT: 25 },
      4,
    ],
  ];
  it.each(phases)("%s", async (_, phase, outcomes, ms) => {
    expect(await play([{ answers: phase }])).toMatchObject({ outcomes, meanMs: ms });
  });

  it("fails a part of its requests, with their own latency", async () => {
    const { outcomes, meanMs } = await play([{ answers: { latencyMs: 100, errors: { ratio: 0.3, status: 502, latencyMs: 0 } } }], {
      durationMs: 100_000,
    });
    expect((outcomes["502"] ?? 0) / 10_000).toBeCloseTo(0.3, 1);
    expect(meanMs).toBeCloseTo((outcomes["200"] ?? 0) / 100, 5);
  });

  it("changes with its script, and refuses connections before the first phase", async () => {
    const answers = [
      { fromMs: 200, latencyMs: 5 },
      { fromMs: 500, latencyMs: 5, status: 500 },
    ];
    expect((await play([{ answers }])).outcomes).toEqual({ 200: 30, 500: 50, ERR_MESH_CONNECT: 20 });
  });

  it("answers with 503 when its queue is full", async () => {
    // Each request takes half a second; two may wait.
    const { outcomes, servers } = await play([{ workers: 1, queue: 2, answers: { latencyMs: 500 } }], {
      arrivals: { ratePerSecond: 10, spacing: "uniform" },
    });
    expect(outcomes).toEqual({ 200: 4, 503: 6 });
    expect(servers[0]?.maxInFlight).toBe(4);
  });

  it("does not work on a waiting request that its client has given up", async () => {
    // The second request is being served when it is given up, the third still waits; the fourth is in time only if the third is dropped.
    const calls = [
      { fromMs: 0, ratePerSecond: 500 },
      { fromMs: 5, ratePerSecond: 0 },
      { fromMs: 190, ratePerSecond: 1 },
    ];
    const { outcomes } = await play([{ workers: 1, answers: { latencyMs: 100 } }], {
      options: { ...bare, attemptTimeoutMs: 120 },
      arrivals: { ratePerSecond: calls, spacing: "uniform" },
    });
    expect(outcomes).toEqual({ 200: 2, ERR_MESH_TIMEOUT: 2 });
  });

  it("has room in its queue again when a waiting request has been given up", async () => {
    const calls = [
      { fromMs: 0, ratePerSecond: 100 },
      { fromMs: 15, ratePerSecond: 0 },
      { fromMs: 100, ratePerSecond: 1 },
    ];
    const { outcomes } = await play([{ workers: 1, queue: 1, answers: { latencyMs: 300 } }], {
      options: { ...bare, attemptTimeoutMs: 50 },
      arrivals: { ratePerSecond: calls, spacing: "uniform" },
    });
    expect(outcomes).toEqual({ ERR_MESH_TIMEOUT: 3 });
  });

  it("gets no request before discovery lists it and after it has left", async () => {
    const { timeline } = await play(
      [
        { name: "always", answers: {} },
        { name: "guest", answers: {}, listedFromMs: 300, listedUntilMs: 600 },
      ],
      { timelineParts: 10 },
    );
    expect(timeline.map(({ attempts }) => attempts[1])).toEqual([0, 0, 0, 5, 5, 5, 0, 0, 0, 0]);
  });

  it("answers load probes outside of its queue without counting them", async () => {
    const reports: (string | undefined)[] = [];
    const { servers } = await play([{ workers: 1, reportsLoad: true, answers: { latencyMs: 500 } }], {
      arrivals: { ratePerSecond: 4, spacing: "uniform" },
      options: {
        ...bare,
        picker: {
          pick: ([upstream]) => upstream,
          forService(_service, context) {
            return {
              pick([upstream]) {
                const cancellation = { cancelled: false, onCancel() {}, removeListener() {} } as never;
                const probe = {
                  service: "simulated",
                  method: "GET",
                  path: "/.inmesh/load",
                  headers: {},
                  body: undefined,
                  requiresTls: false,
                  options: {},
                  cancellation,
                };
                void context
                  ?.send?.({
                    ...probe,
                    deadline: 1e9,
                    attempt: 1,
                    tried: [],
                    attempts: [],
                    upstream,
                    transfer: undefined,
                    rpc: undefined,
                    decodes: false,
                    observation: undefined,
                    trace: undefined,
                    call: undefined,
                    progress: undefined,
                    route: undefined,
                    routed: undefined,
                  })
                  .then(({ headers }) => {
                    reports.push(headers[1]);
                  });
                return upstream;
              },
            };
          },
        },
      },
    });
    expect(servers[0]).toMatchObject({ requests: 4, successes: 4 });
    expect(reports).toHaveLength(4);
    expect(reports[3]).toMatch(
      /^TEXT cpu_utilization=1\.0+, rps_fractional=0\.[0-9]+, eps=0\.0+, named_metrics\.rif=3\.0+, named_metrics\.latency_ms=500\.0+$/,
    );
  });
});

describe("a function of a scenario that throws", () => {
  const boom = (): never => {
    throw new Error("a mistake in the scenario");
  };

  it.each<readonly [string, ServerPhase]>([
    ["when a request comes", { fault: boom }],
    ["for how long it takes", { latencyMs: boom }],
    ["when the work is done", { status: boom }],
    ["for the headers", { headers: boom }],
  ])("ends the simulation: %s", async (_, answers) => {
    await expect(play([{ answers }])).rejects.toThrow("a mistake in the scenario");
    await expect(play([{ workers: 1, answers: [{ latencyMs: 30 }, { fromMs: 500, ...answers }] }])).rejects.toThrow(
      "a mistake in the scenario",
    );
  });

  it("ends it in isSuccess and in options, too", async () => {
    await expect(play([{ answers: {} }], { isSuccess: boom })).rejects.toThrow("a mistake in the scenario");
    await expect(play([{ answers: {} }], { options: boom })).rejects.toThrow("a mistake in the scenario");
  });
});

describe("zones", () => {
  it("have an effect in the client's mesh", async () => {
    const zones = ["a", "b"].map((zone) => ({ name: zone, copies: 6, zone, answers: {} }));
    const result = await play(zones, { options: { ...bare, zone: "a", balancing: { zoneAware: { callers: { a: 1, b: 1 } } } } });
    expect(result.servers.filter(({ name, requests }) => name.startsWith("b") && requests > 0)).toEqual([]);
  });
});
