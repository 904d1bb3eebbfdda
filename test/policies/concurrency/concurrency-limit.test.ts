import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import type { CallPriority, MeshRequest } from "../../../src/core/dispatch.ts";
import { isMeshError, type MeshError } from "../../../src/core/errors.ts";
import { ConcurrencyLimiter } from "../../../src/policies/concurrency/concurrency-limit.ts";
import type { ConcurrencyOptions } from "../../../src/policies/concurrency/concurrency-options.ts";
import type { LimitSample } from "../../../src/policies/concurrency/limit-algorithm.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { endings } from "../../support/endings.ts";
import { type OpenResponse, openResponse } from "../../support/open-response.ts";
import { rejectionOf } from "../../support/rejection.ts";

/** A limit over responses whose bodies a test closes by hand. */
function rig(options: ConcurrencyOptions = {}, inner = endings(() => openResponse())) {
  const clock = virtualClock();
  const limiter = new ConcurrencyLimiter({ ...options, service: "orders", clock });
  const dispatch = limiter.interceptor(inner.dispatch);
  const call = (path: string, priority?: CallPriority, overrides: Partial<MeshRequest> = {}) =>
    dispatch(testRequest({ path, options: priority === undefined ? {} : { priority }, ...overrides })) as Promise<OpenResponse>;
  return { clock, call, limiter, sent: () => inner.requests.map(({ path }) => path.slice(1)).join("") };
}

async function refusal(promise: Promise<unknown>): Promise<MeshError> {
  const error = await rejectionOf(promise);
  if (!isMeshError(error)) throw error;
  expect([error.code, error.maybeExecuted, error.stack?.includes("\n    at")]).toEqual(["ERR_MESH_OVERLOADED", false, false]);
  return error;
}

describe("ConcurrencyLimiter", () => {
  it("lets so many through at a time, and the next when a body has closed", async () => {
    const { call, sent, clock, limiter } = rig({ maxInFlight: 2 });
    const first = await call("/a");
    await call("/b");
    const third = call("/c");
    await clock.advance(0);
    expect(sent()).toBe("ab");
    expect(limiter.reading).toEqual({ inFlight: 2, queued: 1, limit: 2 });
    first.body.close();
    expect((await third).status).toBe(200);
    expect(sent()).toBe("abc");
  });

  it("gives a failed attempt's place on", async () => {
    const { call, sent } = rig(
      { maxInFlight: 1 },
      endings(({ path }) => (path === "/a" ? { code: "ERR_MESH_CONNECT" } : 200)),
    );
    const first = call("/a");
    const second = call("/b");
    await rejectionOf(first);
    await second;
    expect(sent()).toBe("ab");
  });

  it("serves high before normal before low, and first come first served among equals", async () => {
    const { call, sent, clock } = rig({ maxInFlight: 1 });
    const running = await call("/a");
    const waiting = [call("/l", "low"), call("/n"), call("/h", "high"), call("/m"), call("/i", "high")];
    running.body.close();
    for (const each of waiting) void each.then(({ body }) => body.close());
    await clock.advance(10);
    expect(sent()).toBe("ahinml");
  });

  it("refuses at once when the queue is full, unless a call of a lower priority waits", async () => {
    const { call, sent, clock } = rig({ maxInFlight: 1, maxQueued: 2 });
    const running = await call("/a");
    const older = call("/o", "low");
    const newer = call("/p", "low");
    expect((await refusal(call("/q", "low"))).message).toContain("2 wait already (concurrency.maxQueued)");
    const high = call("/h", "high");
    expect((await refusal(newer)).message).toContain("higher priority");
    running.body.close();
    (await high).body.close();
    (await older).body.close();
    expect(sent()).toBe("aho");
    expect(clock.pending).toEqual([]);
  });

  it("takes the place of the lowest priority first", async () => {
    const { call } = rig({ maxInFlight: 1, maxQueued: 2 });
    const running = await call("/a");
    const low = call("/l", "low");
    const normal = call("/n");
    const high = call("/h", "high");
    await refusal(low);
    running.body.close();
    (await high).body.close();
    (await normal).body.close();
  });

  it("starts a call that waits as soon as the limit has risen, before calls that come later", async () => {
    let value = 2;
    const { call, sent, clock } = rig({
      maxInFlight: {
        begin: () => ({
          get value() {
            return value;
          },
          learn() {
            value = 3;
          },
        }),
      },
    });
    value = 1;
    const first = call("/a");
    const second = call("/b");
    const third = call("/c");
    const fourth = call("/d");
    await Promise.all([first, second, third]);
    await clock.advance(1);
    expect(sent()).toBe("abc");
    (await first).body.close();
    await fourth;
  });

  it("never has more in flight than it may, and sends each that it does not refuse, whatever happens when", async () => {
    const step = fc.oneof(
      fc.constant("call" as const),
      fc.constant("close" as const),
      fc.constant("cancel" as const),
      fc.integer({ min: 1, max: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), async (steps, maxInFlight) => {
        const { call, clock } = rig({ maxInFlight, maxQueued: 3, queueTimeoutMs: 50 });
        const open: OpenResponse[] = [];
        const waiting: Cancellation[] = [];
        let unsettled = 0;
        for (const each of steps) {
          if (each === "call") {
            const cancellation = new Cancellation();
            waiting.push(cancellation);
            unsettled++;
            call("/x", "normal", { cancellation }).then(
              (response) => {
                unsettled--;
                open.push(response);
                expect(open.length).toBeLessThanOrEqual(maxInFlight);
              },
              () => unsettled--,
            );
          } else if (each === "close") open.shift()?.body.close();
          else if (each === "cancel") waiting.shift()?.cancel(new Error("cancelled"));
          else await clock.advance(each);
          if (each !== "call") await clock.advance(0);
        }
        await clock.advance(100);
        expect(unsettled).toBe(0);
        for (const response of open.splice(0)) response.body.close();
        // Every place has come back.
        for (let index = 0; index < maxInFlight; index++) await call("/y");
        expect(clock.pending).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it("refuses after so long in the queue, and without a queue at once", async () => {
    const { call, clock } = rig({ maxInFlight: 1, queueTimeoutMs: 50 });
    await call("/a");
    const late = refusal(call("/b"));
    await clock.advance(50);
    expect((await late).message).toContain('"orders" has 1 attempts in flight (concurrency.maxInFlight): it has waited for 50 ms');
    expect(clock.pending).toEqual([]);
    const none = rig({ maxInFlight: 1, maxQueued: 0 });
    await none.call("/a");
    await refusal(none.call("/b"));
  });

  it("lets go of a waiting call that is given up, with the caller's reason, and loses no place by it", async () => {
    const { call, clock, sent } = rig({ maxInFlight: 1 });
    const running = await call("/a");
    const cancellation = new Cancellation();
    const given = rejectionOf(call("/b", "normal", { cancellation }));
    const reason = new Error("changed my mind");
    cancellation.cancel(reason);
    expect(await given).toBe(reason);
    expect(clock.pending).toEqual([]);
    running.body.close();
    (await call("/c")).body.close();
    await call("/d");
    expect(sent()).toBe("acd");
  });

  it("says what earlier attempts of the call had done", async () => {
    const { call } = rig({ maxInFlight: 1, maxQueued: 0 });
    await call("/a");
    const attempts = [{ endpoint: "1", address: "127.0.0.1:1", phase: "headers", ms: 1, maybeExecuted: true } as const];
    const error = await rejectionOf(call("/b", "normal", { attempts: [...attempts] }));
    expect(error).toMatchObject({ code: "ERR_MESH_OVERLOADED", maybeExecuted: true, attempts });
  });

  it("tells an algorithm how long attempts took, how many there were and whether they were dropped", async () => {
    const samples: LimitSample[] = [];
    let value = 2;
    const maxInFlight = {
      begin: () => ({
        get value() {
          return value;
        },
        learn: (sample: LimitSample) => void samples.push(sample),
      }),
    };
    const statuses: Record<string, number> = { "/a": 200, "/b": 429, "/c": 503, "/d": 500 };
    const { call, clock } = rig(
      { maxInFlight },
      endings(async ({ path }) => {
        if (path === "/x") return { code: "ERR_MESH_TIMEOUT" };
        if (path === "/y") return { throws: new Error("the caller's") };
        if (path === "/a") await new Promise<void>((resolve) => clock.setTimer(resolve, 30));
        return statuses[path] ?? 200;
      }),
    );
    const a = call("/a");
    const b = await call("/b");
    await clock.advance(30);
    (await a).body.close();
    b.body.close();
    for (const path of ["/c", "/d"]) (await call(path)).body.close();
    await rejectionOf(call("/x"));
    await rejectionOf(call("/y"));
    // 429 is said to one caller: no sample.
    expect(samples).toEqual([
      { ms: 30, inFlight: 1, dropped: false },
      { ms: 0, inFlight: 1, dropped: true },
      { ms: 0, inFlight: 1, dropped: false },
      { ms: 0, inFlight: 1, dropped: true },
    ]);
    // A limit that has gone down holds the next back until there is room again.
    const first = await call("/e");
    const second = await call("/f");
    value = 1;
    const third = call("/g");
    first.body.close();
    let isSent = false;
    void third.then(() => {
      isSent = true;
    });
    await clock.advance(1);
    expect(isSent).toBe(false);
    second.body.close();
    await third;
  });
});
