import { describe, expect, it } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { systemClock } from "../../src/core/clock.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";

const discovery = staticDiscovery({});

/** An option, a wrong value, and what the message says. */
const wrong: readonly (readonly [object, string])[] = [
  [{ discovery: undefined }, "discovery must be a Discovery"],
  [{ discovery: null }, "discovery must be a Discovery"],
  [{ discovery: {} }, "discovery must be a Discovery"],
  [{ timeout: 5 }, 'createMesh has no option "timeout"; it has picker, balancing, ejection, timeoutMs'],
  [{ timeout: 5 }, '; did you mean "timeoutMs"?'],
  [{ pickers: roundRobin() }, '"pickers"'],
  [{ subset: { size: 3 } }, '; "subset" is an option of balancing'],
  [{ minCalls: 3 }, '; "minCalls" is an option of breaker'],
  [{ balancing: { subset: {} } }, "balancing.subset.size must be a number, not undefined"],
  [{ picker: {} }, "picker must be a Picker"],
  [{ picker: null }, "picker must be a Picker"],
  [{ timeoutMs: "5" }, 'timeoutMs must be a number, not "5"'],
  [{ timeoutMs: true }, "timeoutMs must be a number, not true"],
  [{ timeoutMs: 0 }, "timeoutMs must be at least 1, not 0"],
  [{ timeoutMs: Number.NaN }, "timeoutMs must be a number, not NaN"],
  [{ attemptTimeoutMs: -1 }, "attemptTimeoutMs must be at least 1, not -1"],
  [{ attemptTimeoutMs: null }, "attemptTimeoutMs must be a number, not null"],
  [{ discoveryTimeoutMs: false }, "discoveryTimeoutMs must be a number, not false"],
  [{ discoveryTimeoutMs: -1 }, "discoveryTimeoutMs must be at least 0, not -1"],
  [{ bodyIdleTimeoutMs: 0 }, "bodyIdleTimeoutMs must be from 1 to 2147483647, not 0"],
  [{ bodyIdleTimeoutMs: Number.POSITIVE_INFINITY }, "bodyIdleTimeoutMs must be from 1 to 2147483647, not Infinity"],
  [
    { connections: { connectTimeoutMs: Number.POSITIVE_INFINITY } },
    "connections.connectTimeoutMs must be from 1 to 2147483647, not Infinity",
  ],
  [{ connections: { connectTimeoutMs: "1s" } }, 'connections.connectTimeoutMs must be a number, not "1s"'],
  [{ connections: { max: 0 } }, "connections.max must be at least 1, not 0"],
  [{ connections: { max: 1.5 } }, "connections.max must be a whole number, not 1.5"],
  [{ connections: { max: Number.POSITIVE_INFINITY } }, "connections.max must be a whole number, not Infinity"],
  [{ maxServices: 0 }, "maxServices must be at least 1, not 0"],
  [{ maxServices: "many" }, 'maxServices must be a number, not "many"'],
  [{ drainTimeoutMs: -5 }, "drainTimeoutMs must be at least 0, not -5"],
  [{ observers: {} }, "observers must be an array of observers, not an object"],
  [{ observers: [undefined] }, "observers must be an array of observers, not [undefined]"],
  [{ observers: ["otel"] }, 'observers must be an array of observers, not ["otel"]'],
  [{ interceptors: [5] }, "interceptors must be an array of functions"],
  [{ interceptors: () => {} }, "interceptors must be an array of functions"],
  [{ emptyPolicy: "believe" }, 'emptyPolicy must be one of "quarantine", "trust", not "believe"'],
  [{ retry: true }, "retry must be an object with options, not true"],
  [{ hedge: true }, "hedge must be an object with options, not true; {} stands for their defaults"],
  [{ retry: null }, "retry must be an object with options, not null"],
  [{ retry: 3 }, "retry must be an object with options, not 3"],
  [{ retry: { attempts: 3 } }, 'retry has no option "attempts"; it has maxAttempts'],
  [{ retry: { maxAttempts: 0 } }, "retry.maxAttempts must be from 1 to 100, not 0"],
  [{ retry: { maxAttempts: 1.5 } }, "retry.maxAttempts must be a whole number, not 1.5"],
  [{ retry: { methods: "all" } }, 'retry.methods must be "safe", "idempotent" or an array of methods, not "all"'],
  [{ retry: { baseDelayMs: -1 } }, "retry.baseDelayMs must be at least 0, not -1"],
  [{ retry: { maxDelayMs: "1" } }, 'retry.maxDelayMs must be a number, not "1"'],
  [{ retry: { budget: { ratio: 20 } } }, "retry.budget.ratio must be from 0 to 1, not 20"],
  [{ retry: { budget: { minRetriesPerSecond: -1 } } }, "retry.budget.minRetriesPerSecond must be at least 0, not -1"],
  [{ retry: { budget: { percent: 1 } } }, 'retry.budget has no option "percent"'],
  [{ retry: { budget: 5 } }, "retry.budget must be an object with options, not 5"],
  [{ breaker: true }, "breaker must be an object with options, not true"],
  [{ breaker: { failureRatio: 50 } }, "breaker.failureRatio must be from 0 to 1, not 50"],
  [{ breaker: { minCalls: 0 } }, "breaker.minCalls must be at least 1, not 0"],
  [{ breaker: { consecutiveFailures: 0 } }, "breaker.consecutiveFailures must be at least 1, not 0"],
  [{ breaker: { breakMs: 0 } }, "breaker.breakMs must be at least 1, not 0"],
  [{ breaker: { maxBreakMs: "x" } }, 'breaker.maxBreakMs must be a number, not "x"'],
  [{ breaker: { volumeThreshold: 1 } }, 'breaker has no option "volumeThreshold"'],
  [{ tls: true }, "tls must be an object with options, not true"],
  [{ tls: { rejectUnauthorized: false } }, 'tls has no option "rejectUnauthorized"'],
  [{ tls: { serverName: 5 } }, "tls.serverName must be a host name, not 5"],
  [{ tls: { key: "" } }, "tls.key must be PEM: a string or bytes, not empty"],
  [{ tls: { cert: null } }, "tls.cert must be PEM: a string or bytes, not empty"],
  [{ tls: { ca: [] } }, "tls.ca must be PEM: a string or bytes, or an array of them, not empty"],
  [{ tls: { ca: ["pem", ""] } }, "tls.ca must be PEM: a string or bytes, or an array of them, not empty"],
  [{ observers: { token: "secret" } }, "observers must be an array of observers, not an object"],
  [{ clock: { token: "secret" } }, "clock must be a Clock, not an object"],
  [{ clock: {} }, "clock must be a Clock"],
  [{ clock: Date }, "clock must be a Clock"],
  [{ random: 0.5 }, "random must be a function that returns numbers in [0, 1), not 0.5"],
  [{ connections: { isolation: "none" } }, 'connections.isolation must be one of "shared", "per-request", not "none"'],
  [{ retry: { idempotencyKeys: "yes" } }, 'retry.idempotencyKeys must be true or false, not "yes"'],
  [{ services: "orders" }, "services must be an object with options, not a string"],
  [{ services: [] }, "services must be an object with options, not an array"],
  [{ services: { orders: null } }, "services.orders must be an object with options, not null"],
  [{ services: { orders: { timeout: 5 } } }, 'services.orders has no option "timeout"'],
  [{ services: { orders: { connections: 5 } } }, "services.orders.connections must be an object with options, not 5"],
  [{ services: { orders: { maxServices: 5 } } }, 'services.orders has no option "maxServices"'],
  [{ services: { orders: { maxServices: 5 } } }, '; "maxServices" is an option of createMesh, for all services'],
  [{ services: { orders: { slowStart: {} } } }, '; "slowStart" is an option of balancing'],
  [{ services: { orders: { timeoutMS: 5 } } }, '; did you mean "timeoutMs"?'],
  [{ services: { orders: { timeoutMs: -1 } } }, "services.orders.timeoutMs must be at least 1, not -1"],
  [{ services: { orders: { retry: { maxAttempts: "3" } } } }, 'services.orders.retry.maxAttempts must be a number, not "3"'],
];

describe("createMesh", () => {
  it.each(wrong)("refuses %o", (options, message) => {
    let error: unknown;
    try {
      createMesh({ discovery, ...options } as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  it.each([undefined, null, 5, "consul"])("refuses %j for its options", (options) => {
    expect(() => createMesh(options as never)).toThrow(TypeError);
  });

  it("takes every option there is, and undefined for left out", async () => {
    const service = {
      picker: roundRobin(),
      timeoutMs: false,
      attemptTimeoutMs: 1,
      discoveryTimeoutMs: 0,
      retry: { maxAttempts: 1, methods: "idempotent", baseDelayMs: 0, maxDelayMs: 0, budget: { ratio: 0, minRetriesPerSecond: 0 } },
      breaker: { failureRatio: 1, minCalls: 1, consecutiveFailures: 1, breakMs: 1, maxBreakMs: 1 },
      interceptors: [],
      emptyPolicy: "trust",
    } as const;
    const mesh = createMesh({
      discovery,
      ...service,
      observers: [{}],
      services: { orders: service, users: { retry: false, breaker: false, attemptTimeoutMs: false }, ["__proto__"]: {} },
      bodyIdleTimeoutMs: false,
      connections: { connectTimeoutMs: 1, max: 1 },
      tls: {},
      maxServices: 1,
      drainTimeoutMs: 0,
      clock: systemClock,
      random: Math.random,
    });
    await mesh.close();
    const keys = [
      "picker",
      "timeoutMs",
      "retry",
      "breaker",
      "interceptors",
      "observers",
      "services",
      "tls",
      "clock",
      "random",
      "connections",
    ];
    await createMesh({ discovery, ...Object.fromEntries(keys.map((key) => [key, undefined])) }).close();
  });
});
