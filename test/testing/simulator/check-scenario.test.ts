import { expect, it } from "vitest";
import { type Scenario, simulate } from "../../../src/testing/index.ts";

const good = { servers: [{ answers: {} }], arrivals: { ratePerSecond: 1 }, durationMs: 10 };

it.each<readonly [string, object, ErrorConstructor | RangeErrorConstructor, string]>([
  ["a misspelt field", { ...good, duration: 5 }, TypeError, 'simulate has no option "duration"'],
  ["no servers", { ...good, servers: [] }, TypeError, "servers must be an array of at least one server"],
  ["no arrivals", { ...good, arrivals: undefined }, TypeError, "arrivals is missing"],
  ["no duration", { ...good, durationMs: undefined }, TypeError, "durationMs is missing"],
  ["a negative rate", { ...good, arrivals: { ratePerSecond: -1 } }, RangeError, "arrivals.ratePerSecond must be at least 0, not -1"],
  [
    "an unknown spacing",
    { ...good, arrivals: { ratePerSecond: 1, spacing: "normal" } },
    TypeError,
    'arrivals.spacing must be one of "poisson"',
  ],
  ["half a client", { ...good, clients: 0.5 }, RangeError, "clients must be at least 1, not 0.5"],
  ["answers that are missing", { ...good, servers: [{}] }, TypeError, "servers[0].answers is missing"],
  ["no phase", { ...good, servers: [{ answers: [] }] }, TypeError, "servers[0].answers must be at least one phase"],
  ["a misspelt latency", { ...good, servers: [{ answers: { latency: 5 } }] }, TypeError, 'servers[0].answers[0] has no option "latency"'],
  ["an unknown fault", { ...good, servers: [{ answers: { fault: "crash" } }] }, TypeError, "servers[0].answers[0].fault must be one of"],
  [
    "a status that is none",
    { ...good, servers: [{ answers: { status: 1000 } }] },
    RangeError,
    "servers[0].answers[0].status must be from 200 to 599",
  ],
  [
    "bounds the wrong way round",
    { ...good, servers: [{ answers: { latencyMs: [9, 3] } }] },
    RangeError,
    "latencyMs[1] must be at least 9, not 3",
  ],
  ["luck of another kind", { ...good, chance: "client" as "server" }, TypeError, 'chance must be one of "server", "request", not "client"'],
  [
    "a second kind of errors",
    { ...good, servers: [{ answers: { errors: [{ ratio: 0.1 }, { ratio: 2 }] } }] },
    RangeError,
    "errors[1].ratio must be from 0 to 1, not 2",
  ],
  ["a ratio above 1", { ...good, servers: [{ answers: { errors: { ratio: 2 } } }] }, RangeError, "errors.ratio must be from 0 to 1, not 2"],
  [
    "phases out of order",
    { ...good, servers: [{ answers: [{ fromMs: 5 }, { fromMs: 3 }] }] },
    RangeError,
    "servers[0].answers[1].fromMs must be at least 5, not 3",
  ],
  [
    "a path's misspelt field",
    { ...good, servers: [{ answers: { paths: { "/a": { code: 1 } } } }] },
    TypeError,
    'paths["/a"] has no option "code"',
  ],
  [
    "two servers of one name",
    {
      ...good,
      servers: [
        { name: "a", answers: {} },
        { name: "a", answers: {} },
      ],
    },
    TypeError,
    'two of them have the name "a"',
  ],
  ["no kind of request", { ...good, requests: [] }, TypeError, "requests must be an array of at least one kind of request"],
  ["a client's option", { ...good, options: { retry: { maxAttempts: 0 } } }, RangeError, "retry.maxAttempts must be"],
  ["a health check", { ...good, options: { healthCheck: {} } }, TypeError, "options.healthCheck must be absent"],
  ["a client's misspelt option", { ...good, options: { pickers: 5 } }, TypeError, '"pickers"'],
])("%s is refused with its name and value", async (_, scenario, kind, message) => {
  const error: unknown = await simulate(scenario as Scenario).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toContain(message);
});

it("a valid scenario is played", async () => {
  expect((await simulate(good)).name).toBe("simulation");
});
