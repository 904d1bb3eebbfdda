import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import type { MeshRequest } from "../../../src/core/dispatch.ts";
import { hedge } from "../../../src/policies/hedge/hedge.ts";
import type { HedgeOptions } from "../../../src/policies/hedge/hedge-options.ts";
import { RetryBudget, type RetryBudgetOptions } from "../../../src/policies/retry/retry-budget.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Ending, endings } from "../../support/endings.ts";
import { type OpenResponse, openResponse } from "../../support/open-response.ts";
import { rejectionOf } from "../../support/rejection.ts";

/** An attempt that ends after so long, and at once when it is cancelled. */
type Timed = readonly [ms: number, ending: Ending];

interface Setup extends HedgeOptions {
  readonly retryBudget?: RetryBudgetOptions;
}

/** A hedge that has seen 100 calls of 10 ms, and what the attempts after that do. */
async function warm({ retryBudget = {}, ...options }: Setup, ...first: readonly Timed[]) {
  const clock = virtualClock();
  let script: Timed[] = [];
  const inner = endings(({ cancellation }) => {
    const [ms, ending] = script.shift() ?? ([10, 200] as const);
    return new Promise<Ending>((resolve) => {
      const timer = clock.setTimer(() => resolve(ending), ms);
      cancellation.onCancel((reason) => {
        clock.clearTimer(timer);
        resolve({ throws: reason });
      });
    });
  });
  const hedges: string[] = [];
  const won: string[] = [];
  const dispatch = hedge({
    ...options,
    clock,
    budget: new RetryBudget(retryBudget, clock),
    events: {
      emit(event) {
        if (event.type === "hedge") hedges.push(`${event.request.path} ${event.delayMs.toFixed(1)}`);
        if (event.type === "hedge-won") won.push(event.request.path);
      },
    },
  })(inner.dispatch);
  for (let call = 0; call < 100; call++) {
    const answer = dispatch(testRequest());
    await clock.advance(10);
    (await answer) as OpenResponse;
  }
  await clock.advance(3_000);
  inner.requests.length = 0;
  script = [...first];
  const plan = (...next: readonly Timed[]) => {
    script = [...next];
  };
  return { clock, dispatch, hedges, won, plan, requests: inner.requests };
}

async function settledWithin<T>(clock: VirtualClock, promise: Promise<T>, ms: number): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

const delay = "10.2";

describe("hedge", () => {
  it("does nothing until it knows how long calls take", async () => {
    const clock = virtualClock();
    const inner = endings(() => new Promise<Ending>((resolve) => clock.setTimer(() => resolve(200), 1_000)));
    const dispatch = hedge({ clock, budget: new RetryBudget({}, clock) })(inner.dispatch);
    for (let call = 0; call < 49; call++) await settledWithin(clock, dispatch(testRequest()), 1_000);
    expect(inner.requests).toHaveLength(49);
  });

  it("sends a call that takes longer than nearly all others to a second instance, and takes the faster answer", async () => {
    const { clock, dispatch, hedges, won, requests } = await warm({}, [500, 500], [5, 201]);
    const request = testRequest({ path: "/slow" });
    expect((await settledWithin(clock, dispatch(request), 30)).status).toBe(201);
    expect(won).toEqual(["/slow"]);
    expect(hedges).toEqual([`/slow ${delay}`]);
    const [first, second] = requests as [MeshRequest, MeshRequest];
    expect(first.cancellation.cancelled).toBe(true);
    expect(second.cancellation.cancelled).toBe(false);
    expect(second.tried).toBe(request.tried);
    expect(clock.pending).toEqual([]);
  });

  it("sends the hedge in the asynchronous context of the call, though a timer starts it", async () => {
    const { clock, dispatch, hedges, requests } = await warm({}, [500, 200], [5, 201]);
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const noting = testRequest();
    const path = () => {
      seen.push(storage.getStore());
      return "/slow";
    };
    Object.defineProperty(noting, "path", { enumerable: true, get: path });
    const answer = storage.run("the caller", () => dispatch(noting));
    const before = seen.length;
    await storage.run("another", () => settledWithin(clock, answer, 30));
    expect([requests.length, hedges.length]).toEqual([2, 1]);
    expect(seen.length).toBeGreaterThan(before);
    expect(new Set(seen)).toEqual(new Set(["the caller"]));
  });

  it("leaves no timer behind when a call is answered in time", async () => {
    const { clock, dispatch, hedges } = await warm({}, [5, 200]);
    await settledWithin(clock, dispatch(testRequest()), 5);
    expect([hedges, clock.pending]).toEqual([[], []]);
  });

  it("learns from an attempt that was superseded that it would have taken at least so long", async () => {
    const { clock, dispatch, hedges, plan } = await warm({ percentile: 0.5, maxExtraLoad: 0.5 });
    for (let call = 0; call < 200; call++) {
      plan([500, 200], [1, 200]);
      await settledWithin(clock, dispatch(testRequest()), 600);
    }
    expect(hedges.length).toBeGreaterThan(50);
    // The hedges alone take 1 ms each: learnt from them only, the wait would be down to that.
    expect(Number(hedges.at(-1)?.split(" ")[1])).toBeGreaterThan(5);
  });

  it("takes the first attempt's answer when that is faster after all, and cancels the hedge", async () => {
    const { clock, dispatch, won, requests } = await warm({}, [15, 200], [500, 201]);
    expect((await settledWithin(clock, dispatch(testRequest()), 30)).status).toBe(200);
    expect(won).toEqual([]);
    expect(requests.map(({ cancellation }) => cancellation.cancelled)).toEqual([false, true]);
    expect(clock.pending).toEqual([]);
  });

  it("does not hedge a call that has failed: that is the retries' business", async () => {
    const { clock, dispatch, hedges } = await warm({}, [5, { code: "ERR_MESH_PROTOCOL" }], [5, 503]);
    await expect(settledWithin(clock, dispatch(testRequest()), 50)).rejects.toThrow("ERR_MESH_PROTOCOL");
    expect((await settledWithin(clock, dispatch(testRequest()), 50)).status).toBe(503);
    expect(hedges).toEqual([]);
  });

  it("waits for the other attempt when one fails, and gives the failure when both do", async () => {
    const one = await warm({}, [30, 200], [1, { code: "ERR_MESH_CONNECT" }]);
    expect((await settledWithin(one.clock, one.dispatch(testRequest()), 50)).status).toBe(200);
    const refused = openResponse(503);
    const other = await warm({}, [15, refused], [10, 200]);
    expect((await settledWithin(other.clock, other.dispatch(testRequest()), 50)).status).toBe(200);
    expect(refused.body.discards).toBe(1);
    const both = await warm({}, [15, 503], [10, { code: "ERR_MESH_CONNECT" }]);
    expect((await settledWithin(both.clock, both.dispatch(testRequest()), 50)).status).toBe(503);
    const errors = await warm({}, [15, { code: "ERR_MESH_PROTOCOL" }], [10, { code: "ERR_MESH_CONNECT" }]);
    await expect(settledWithin(errors.clock, errors.dispatch(testRequest()), 50)).rejects.toThrow("ERR_MESH_CONNECT");
    for (const { clock } of [one, other, both, errors]) expect(clock.pending).toEqual([]);
  });

  it.each<[string, Partial<MeshRequest>, number]>([
    ["GET", {}, 2],
    ["POST", { method: "POST" }, 1],
    ["PUT", { method: "PUT" }, 1],
    ["POST that the caller calls idempotent", { method: "POST", body: "x", options: { idempotent: true } }, 2],
    ["GET that the caller does not", { options: { idempotent: false } }, 1],
    ["call with one attempt", { options: { retry: false } }, 1],
    ["stream", { method: "POST", body: (async function* () {})(), options: { idempotent: true } }, 1],
    ["call whose deadline is nearer than the hedge", { deadline: 1_000 + 3_000 + 10 }, 1],
  ])("sends a %s as often as that is safe", async (_what, overrides, sent) => {
    const { clock, dispatch, requests } = await warm({}, [500, 200], [500, 200]);
    await settledWithin(clock, dispatch(testRequest(overrides)), 600);
    expect(requests).toHaveLength(sent);
  });

  it("stays within its share of extra load when everything becomes slow", async () => {
    const { clock, dispatch, hedges } = await warm({ percentile: 0.9, maxExtraLoad: 0.1 }, ...Array<Timed>(1_000).fill([100, 200]));
    for (let call = 0; call < 200; call++) {
      const answer = dispatch(testRequest());
      await clock.advance(10);
      void answer;
    }
    await clock.advance(1_000);
    // 100 calls before and 200 now, within the same ten seconds.
    expect(hedges.length).toBeGreaterThan(10);
    expect(hedges.length).toBeLessThanOrEqual(30);
  });

  it("does not hedge when the retries have used up the budget they share", async () => {
    const { clock, dispatch, requests } = await warm({ retryBudget: { ratio: 0, minRetriesPerSecond: 0 } }, [500, 200]);
    await settledWithin(clock, dispatch(testRequest()), 600);
    expect(requests).toHaveLength(1);
  });

  it("does not hedge where the percentile is longer than it is worth waiting", async () => {
    const { clock, dispatch, requests } = await warm({ maxDelayMs: 5 }, [500, 200]);
    await settledWithin(clock, dispatch(testRequest()), 600);
    expect(requests).toHaveLength(1);
  });

  it("stops both attempts when the call is given up, and leaves nothing behind", async () => {
    const { clock, dispatch, requests } = await warm({}, [500, 200], [500, 200]);
    const cancellation = new Cancellation();
    const call = rejectionOf(dispatch(testRequest({ cancellation })));
    await clock.advance(20);
    expect(requests).toHaveLength(2);
    const reason = new Error("given up");
    cancellation.cancel(reason);
    expect(await call).toBe(reason);
    expect(clock.pending).toEqual([]);
  });
});
