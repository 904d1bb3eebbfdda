import { describe, expect, it } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import { type AttemptRecord, MeshError } from "../../../src/core/errors.ts";
import type { RequestBody } from "../../../src/core/http/body.ts";
import { interceptorOf } from "../../../src/core/stages/stage.ts";
import { deadline } from "../../../src/policies/deadline.ts";
import { type RetryPolicyOptions, retry } from "../../../src/policies/retry/retry.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Ending, endings, sequence } from "../../support/endings.ts";
import { openResponse } from "../../support/open-response.ts";
import { rejectionOf } from "../../support/rejection.ts";

type Inner = ReturnType<typeof endings>;

function under(inner: Inner, options: Partial<RetryPolicyOptions> = {}) {
  const clock = (options.clock ?? virtualClock()) as VirtualClock;
  const retries: string[] = [];
  const denials: string[] = [];
  const stage = retry({
    random: () => 0.5,
    events: {
      emit(event) {
        if (event.type === "retry") retries.push(`${event.request.attempt} ${event.reason} ${event.delayMs}`);
        if (event.type === "retry-denied") denials.push(`${event.request.attempt} ${event.denial}`);
      },
    },
    ...options,
    clock,
  });
  return { dispatch: interceptorOf(stage)(inner.dispatch), clock, retries, denials, requests: inner.requests };
}

const refused: Ending = { code: "ERR_MESH_CONNECT" };
const reset: Ending = { code: "ERR_MESH_PROTOCOL" };

async function* streamOf(text: string): AsyncGenerator<string> {
  yield text;
}

describe("retry", () => {
  it("passes the first attempt straight through", async () => {
    const { dispatch, requests } = under(sequence(200));
    const request = testRequest();
    expect((await dispatch(request)).status).toBe(200);
    expect(requests).toEqual([request]);
    expect(requests[0]).toBe(request);
  });

  it("numbers the attempts, and shares everything else of the call with them", async () => {
    const { dispatch, requests, clock } = under(sequence(reset, 503, 200));
    const request = testRequest({ path: "/x" });
    const response = dispatch(request);
    await clock.advance(1_000);
    expect((await response).status).toBe(200);
    expect(requests.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    for (const each of requests) {
      expect([each.tried, each.attempts, each.cancellation, each.path]).toEqual([
        request.tried,
        request.attempts,
        request.cancellation,
        "/x",
      ]);
      expect(each.tried).toBe(request.tried);
      expect(each.attempts).toBe(request.attempts);
    }
  });

  it("pauses a random part of 25 ms, doubled with every retry up to 250 ms", async () => {
    const seed = seededRandom(5);
    const { dispatch, retries, clock } = under(sequence(503), { random: seed, maxAttempts: 7 });
    const response = dispatch(testRequest());
    await clock.advance(2_000);
    await response;
    const drawn = seededRandom(5);
    const expected = [25, 50, 100, 200, 250, 250].map((limit, index) => `${index + 1} 503 ${drawn() * limit}`);
    expect(retries).toEqual(expected);
    expect((await response).status).toBe(503);
  });

  it("takes maxAttempts, baseDelayMs and maxDelayMs from the options", async () => {
    const { dispatch, retries, clock, requests, denials } = under(sequence(503), { maxAttempts: 4, baseDelayMs: 10, maxDelayMs: 15 });
    const response = dispatch(testRequest());
    await clock.advance(100);
    await response;
    expect([requests.length, retries, denials]).toEqual([4, ["1 503 5", "2 503 7.5", "3 503 7.5"], ["4 attempts"]]);
    const single = under(sequence(503), { maxAttempts: 1 });
    expect((await single.dispatch(testRequest())).status).toBe(503);
    expect([single.requests.length, single.denials]).toEqual([1, ["1 attempts"]]);
  });

  it("goes to another instance at once when the first was never reached, and pauses when that was in vain too", async () => {
    const { dispatch, retries, clock } = under(sequence(refused, refused, 200));
    const response = dispatch(testRequest({ method: "POST" }));
    await clock.advance(0);
    expect(retries).toEqual(["1 ERR_MESH_CONNECT 0", "2 ERR_MESH_CONNECT 25"]);
    await clock.advance(25);
    expect((await response).status).toBe(200);
  });

  it("pauses before it asks this process for more of what it is out of, and fails with that then", async () => {
    const { dispatch, retries, clock, denials } = under(sequence({ code: "ERR_MESH_LOCAL_RESOURCE" }));
    const error = rejectionOf(dispatch(testRequest()));
    await clock.advance(100);
    expect(await error).toMatchObject({ code: "ERR_MESH_LOCAL_RESOURCE", maybeExecuted: false, attempts: [{}, {}] });
    expect([retries, denials]).toEqual([["1 ERR_MESH_LOCAL_RESOURCE 12.5"], ["2 attempts"]]);
  });

  it("makes one attempt where the caller wants no retry", async () => {
    const { dispatch, requests } = under(sequence(refused));
    await rejectionOf(dispatch(testRequest({ options: { retry: false } })));
    expect(requests).toHaveLength(1);
  });
});

describe("what the caller gets", () => {
  it("is the last response as it is when attempts run out, and those before are drained", async () => {
    const responses = [openResponse(503), openResponse(502), openResponse(504, { "x-a": "1" })];
    const { dispatch, clock } = under(sequence(...responses));
    const response = dispatch(testRequest());
    await clock.advance(1_000);
    expect(await response).toBe(responses[2]);
    expect(responses.map(({ body }) => body.discards)).toEqual([1, 1, 0]);
  });

  it("is the first response as it is when no retry is safe", async () => {
    const response = openResponse(503);
    const { dispatch, denials } = under(sequence(response));
    expect(await dispatch(testRequest({ method: "POST" }))).toBe(response);
    expect([response.body.discards, denials]).toEqual([0, ["1 not-safe"]]);
  });

  it("is the error of a single attempt as it is", async () => {
    const { dispatch } = under(sequence(reset));
    expect(await rejectionOf(dispatch(testRequest({ method: "POST" })))).toMatchObject({
      code: "ERR_MESH_PROTOCOL",
      attempts: [{}],
      maybeExecuted: true,
    });
  });

  it("is ERR_MESH_RETRY_EXHAUSTED after several, with every attempt and the last error as its cause", async () => {
    const { dispatch, clock } = under(sequence(503, reset, refused));
    const error = rejectionOf(dispatch(testRequest({ service: "orders" })));
    await clock.advance(1_000);
    expect(await error).toMatchObject({
      code: "ERR_MESH_RETRY_EXHAUSTED",
      service: "orders",
      message: '"orders" failed 3 attempts of GET; the last: ERR_MESH_CONNECT',
      attempts: [{ status: 503 }, { code: "ERR_MESH_PROTOCOL" }, { code: "ERR_MESH_CONNECT" }],
      cause: { code: "ERR_MESH_CONNECT" },
      maybeExecuted: true,
    });
  });

  it("says maybeExecuted: false exactly when no attempt was executed", async () => {
    for (const list of [
      [refused, refused, refused],
      [refused, reset],
      [reset, refused, refused],
      [{ code: "ERR_MESH_PROTOCOL", maybeExecuted: false }, refused, refused],
      [421, refused, refused],
    ] as readonly (readonly Ending[])[]) {
      const { dispatch, clock } = under(sequence(...list));
      const request = testRequest();
      const error = rejectionOf(dispatch(request));
      await clock.advance(1_000);
      const executed = request.attempts.some(({ maybeExecuted }) => maybeExecuted);
      expect(await error).toMatchObject({ code: "ERR_MESH_RETRY_EXHAUSTED", maybeExecuted: executed });
      expect(executed).toBe(list.some((ending) => ending === reset || ending === 421));
    }
  });

  it("keeps its attempts when the call's own list grows afterwards", async () => {
    const { dispatch, clock } = under(sequence(refused));
    const request = testRequest();
    const error = rejectionOf(dispatch(request));
    await clock.advance(1_000);
    request.attempts.push({} as AttemptRecord);
    expect(((await error) as MeshError).attempts).toHaveLength(3);
  });

  it("is the reason of the caller's abort, whatever its kind, and nothing is tried after it", async () => {
    for (const reason of ["text", undefined, 0, new TypeError("mine"), new DOMException("stop", "AbortError")]) {
      for (const abortAt of [1, 2]) {
        const cancellation = new Cancellation();
        const inner = endings((request) => {
          if (request.attempt < abortAt) return reset;
          cancellation.cancel(reason);
          return { throws: reason };
        });
        const { dispatch, clock, requests, retries } = under(inner);
        const settled = rejectionOf(dispatch(testRequest({ cancellation })));
        await clock.advance(1_000);
        expect(await settled).toBe(reason);
        expect([requests.length, retries.length]).toEqual([abortAt, abortAt - 1]);
      }
    }
  });

  it("is that reason too when the abort comes while an attempt fails by itself", async () => {
    const cancellation = new Cancellation();
    const inner = endings(() => {
      cancellation.cancel("gone");
      return refused;
    });
    const { dispatch, requests, retries } = under(inner);
    expect(await rejectionOf(dispatch(testRequest({ cancellation })))).toBe("gone");
    expect([requests.length, retries]).toEqual([1, []]);
  });

  it("is that reason at once when the abort comes in a pause, and no timer stays", async () => {
    const response = openResponse(503);
    const { dispatch, clock, requests } = under(sequence(response));
    const cancellation = new Cancellation();
    const settled = rejectionOf(dispatch(testRequest({ cancellation })));
    await clock.advance(1);
    cancellation.cancel("gone");
    expect(await settled).toBe("gone");
    expect([clock.pending, requests.length, response.body.discards]).toEqual([[], 1, 1]);
  });
});

describe("the deadline", () => {
  it("is never passed by a pause: the failure is given out instead", async () => {
    const { dispatch, denials, clock } = under(sequence(503));
    expect((await dispatch(testRequest({ deadline: 12.5 }))).status).toBe(503);
    expect([denials, clock.pending]).toEqual([["1 deadline"], []]);
    const later = under(sequence(503, 200));
    const response = later.dispatch(testRequest({ deadline: 12.6 }));
    await later.clock.advance(20);
    expect((await response).status).toBe(200);
  });

  it("ends the attempts: nothing is tried when it passes in one", async () => {
    const clock = virtualClock();
    const inner = endings((request) => new Promise((resolve) => request.cancellation.onCancel((throws) => resolve({ throws }))));
    const { requests, dispatch: retried } = under(inner, { clock });
    const dispatch = interceptorOf(deadline({ limitOf: () => 100, clock }))(retried);
    const error = rejectionOf(dispatch(testRequest()));
    await clock.advance(10_000);
    expect(await error).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect([requests.length, clock.pending]).toEqual([1, []]);
  });
});

describe("Retry-After", () => {
  const answer = (value: string, more: Readonly<Record<string, string>> = {}) => openResponse(503, { "retry-after": value, ...more });

  it("is the least pause, in seconds or until a date by the server's own clock", async () => {
    for (const [first, delayMs] of [
      [answer("2"), 2_000],
      [answer("0"), 12.5],
      [answer("garbage"), 12.5],
      [answer("Thu, 01 Jan 2026 00:00:03 GMT"), 3_000],
      [answer("Sat, 22 Nov 2025 00:00:03 GMT", { date: "Sat, 22 Nov 2025 00:00:00 GMT" }), 3_000],
      [answer("Thu, 01 Jan 1970 00:00:00 GMT"), 12.5],
      [answer("99999999"), 60_000],
    ] as const) {
      const { dispatch, retries, clock } = under(sequence(first, 200));
      const response = dispatch(testRequest());
      await clock.advance(delayMs);
      expect((await response).status).toBe(200);
      expect(retries).toEqual([`1 503 ${delayMs}`]);
    }
  });

  it("is not waited for when it ends after the deadline: the answer is given out at once", async () => {
    const first = answer("10");
    const { dispatch, denials, clock } = under(sequence(first, 200));
    expect(await dispatch(testRequest({ deadline: 9_000 }))).toBe(first);
    expect([denials, clock.pending, first.body.discards]).toEqual([["1 deadline"], [], 0]);
  });
});

describe("the body", () => {
  const bodies: readonly (readonly [name: string, make: () => RequestBody, isReplayable: boolean])[] = [
    ["none", () => undefined, true],
    ["text", () => "x", true],
    ["bytes", () => new Uint8Array(1), true],
    ["a Blob", () => new Blob(["x"]), true],
    ["a function", () => () => streamOf("x"), true],
    ["a stream", () => streamOf("x"), false],
  ];
  for (const [name, make, isReplayable] of bodies) {
    it(`that is ${name} moves untouched when it was not sent, and ${isReplayable ? "again" : "never again"} when it was`, async () => {
      const body = make();
      const unsent = under(sequence(refused, refused, 200));
      const moved = unsent.dispatch(testRequest({ method: "POST", body }));
      await unsent.clock.advance(100);
      expect((await moved).status).toBe(200);
      expect(unsent.requests.every((request) => request.body === body)).toBe(true);
      for (const sent of [reset, 503, 421, { code: "ERR_MESH_PROTOCOL", maybeExecuted: false }] as const) {
        const { dispatch, requests, clock, denials } = under(sequence(sent, 200));
        const settled = dispatch(testRequest({ body })).catch(() => {});
        await clock.advance(100);
        await settled;
        expect(requests).toHaveLength(isReplayable ? 2 : 1);
        expect(denials).toEqual(isReplayable ? [] : ["1 body"]);
      }
    });
  }
});

describe("the budget", () => {
  async function outage(ending: () => Ending, calls: number, method = "GET") {
    const inner = endings(ending);
    const { dispatch, clock, denials } = under(inner);
    const settled: Promise<unknown>[] = [];
    for (let call = 0; call < calls; call++) {
      settled.push(dispatch(testRequest({ method })).catch(() => {}));
      await clock.advance(1);
    }
    await clock.advance(1_000);
    await Promise.all(settled);
    return { attempts: inner.requests.length, denials };
  }

  for (const [name, ending] of [
    ["503", () => 503],
    ["421", () => 421],
    ["503 with the mark of a drain", () => openResponse(503, { "x-mesh-refused": "1" })],
    ["resets", () => reset],
    ["time limits", () => ({ code: "ERR_MESH_TIMEOUT" })],
  ] as readonly (readonly [string, () => Ending])[]) {
    it(`bounds the attempts of a full outage by ${name} to 1.2 per request and the floor`, async () => {
      const calls = 3_000;
      const { attempts, denials } = await outage(ending, calls);
      expect(attempts).toBeLessThanOrEqual(1.2 * calls + 100);
      expect(attempts, "and is used").toBeGreaterThan(1.1 * calls);
      expect(denials.filter((denial) => denial.endsWith("budget")).length).toBeGreaterThan(0);
    });
  }

  it("is not charged for what never reached an instance, nor for the first stream refused", async () => {
    const free = await outage(() => refused, 1_000, "POST");
    expect([free.attempts, new Set(free.denials)]).toEqual([3_000, new Set(["3 attempts"])]);
    const streams = await outage(() => ({ code: "ERR_MESH_PROTOCOL", maybeExecuted: false }), 1_000, "POST");
    expect(streams.attempts).toBeGreaterThanOrEqual(2_000);
    expect(streams.attempts).toBeLessThanOrEqual(2_000 + 0.2 * 1_000 + 100);
  });

  it("can be set, and is one for all calls of a service", async () => {
    const { dispatch, denials } = under(sequence(503), { budget: { ratio: 0, minRetriesPerSecond: 0 } });
    await dispatch(testRequest());
    expect(denials).toEqual(["1 budget"]);
    const shared = under(sequence(503), { budget: { ratio: 0.5, minRetriesPerSecond: 0 } });
    for (let call = 0; call < 4; call++) {
      const response = shared.dispatch(testRequest());
      await shared.clock.advance(100);
      await response;
    }
    expect(shared.retries).toHaveLength(2);
  });

  it("gives a response out instead of draining it when there is no budget", async () => {
    const response = openResponse(503);
    const { dispatch } = under(sequence(response), { budget: { ratio: 0, minRetriesPerSecond: 0 } });
    expect(await dispatch(testRequest())).toBe(response);
    expect(response.body.discards).toBe(0);
  });
});

it("does not take a failure of several attempts further down for one more", async () => {
  const inner = new MeshError("ERR_MESH_RETRY_EXHAUSTED", "of a mesh behind this one");
  const { clock, dispatch } = under(sequence(reset, { throws: inner }));
  const error = rejectionOf(dispatch(testRequest()));
  await clock.advance(100);
  expect(await error).toBe(inner);
});
