import { describe, expect, test } from "vitest";
import { ask, guarded } from "../served.ts";

describe("a limit of requests per caller", () => {
  test("refuses with 429 and the time to wait, and does not say that another instance may take the request", async () => {
    const { port } = await guarded({ rateLimit: { perSecond: 0.1, burst: 2 } });
    expect([(await ask(port)).status, (await ask(port)).status]).toEqual([200, 200]);
    const refused = await ask(port, { method: "POST", body: "x".repeat(50_000) });
    expect(refused).toMatchObject({ status: 429, text: "too many requests: 0.1 per second are allowed\n" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(5);
    expect(refused.headers["x-mesh-refused"]).toBeUndefined();
  });

  test("tells callers apart by their address, and not by what they claim", async () => {
    const { port } = await guarded({ rateLimit: { perSecond: 0.1, burst: 1 } });
    expect((await ask(port, { headers: { "x-forwarded-for": "1.1.1.1" } })).status).toBe(200);
    expect((await ask(port, { headers: { "x-forwarded-for": "2.2.2.2" } })).status).toBe(429);
    expect((await ask(port, { localAddress: "127.0.0.2" })).status).toBe(200);
  });

  test("takes the key of the program, which may leave a request out", async () => {
    const { port } = await guarded({
      rateLimit: { perSecond: 0.1, burst: 1, key: ({ headers }) => headers["x-tenant"] as string | undefined },
    });
    const as = async (tenant?: string) => (await ask(port, tenant === undefined ? {} : { headers: { "x-tenant": tenant } })).status;
    expect([await as("a"), await as("a"), await as("b"), await as(), await as()]).toEqual([200, 429, 200, 200, 200]);
    const long = "k".repeat(5_000);
    expect([await as(`${long}1`), await as(`${long}2`), await as(`${long}1`)]).toEqual([200, 200, 429]);
  });

  test.each<[kind: string, key: () => string | undefined]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns nonsense", () => 5 as never],
    ["is async", (() => Promise.reject(new Error("no"))) as never],
  ])("goes by the address where the program's key %s", async (_kind, key) => {
    const { port } = await guarded({ rateLimit: { perSecond: 0.1, burst: 1, key } });
    expect([(await ask(port)).status, (await ask(port)).status]).toEqual([200, 429]);
  });
});

test.each([
  [{ rateLimit: { perSecond: 0 } }, RangeError, "inbound: rateLimit.perSecond must be from 0.001 to 1000000, not 0"],
  [{ rateLimit: { burst: 1.5 } }, RangeError, "inbound: rateLimit.burst must be a whole number, not 1.5"],
  [{ rateLimit: true }, TypeError, "inbound: rateLimit must be an object with options, not true; {} stands for their defaults"],
  [{ rateLimits: {} }, TypeError, 'inbound has no option "rateLimits"'],
  [{ concurrency: { maxInFlight: 0 } }, RangeError, "inbound: concurrency.maxInFlight must be at least 1, not 0"],
  [
    { health: { livePath: "live" } },
    TypeError,
    'inbound: health.livePath must be a path that begins with one slash and has no query, or false, not "live"',
  ],
  [{ health: { livePath: "//live" } }, TypeError, "inbound: health.livePath must be"],
  [{ accessLog: { file: "a", write() {} } }, TypeError, "inbound: accessLog: either file or write, not both"],
  [{ priority: "high" }, TypeError, 'inbound: priority must be a function, not "high"'],
  [{ mesh: 5 }, TypeError, "inbound: mesh must be a mesh, not 5"],
])("a wrong option, %j, is refused by name", async (options, kind, message) => {
  const failure = await guarded(options as never).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(kind);
  expect((failure as Error).message).toContain(message);
});
