import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Balancer } from "../../src/balancer/balancer.ts";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import type { Dispatch } from "../../src/core/dispatch.ts";
import { MeshError } from "../../src/core/errors.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { Rotation, type RotationOptions } from "../../src/rotation/rotation.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Ending, endings, type OpenResponse, openResponse } from "../policies/support.ts";
import { begun, throughRotation } from "./attempts.ts";
import { onState, stateOf } from "./states.ts";

const made: Rotation[] = [];

let clock: VirtualClock;

beforeEach(() => {
  clock = virtualClock();
  // For counting alone: opossum's own timers, which no clock moves.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  for (const rotation of made.splice(0)) rotation.dispose();
  expect([clock.pending, vi.getTimerCount()], "timers left").toEqual([[], 0]);
  vi.useRealTimers();
});

function under(options: Partial<RotationOptions> = {}) {
  const states: string[] = [];
  const rotation = new Rotation({
    clock,
    random: () => 0.5,
    events: onState(({ upstream, state }) => states.push(`${upstream.id} ${state}`)),
    upstreams: () => [],
    ejection: false,
    ...options,
  });
  made.push(rotation);
  let ending: Ending | Promise<Ending> = 200;
  const inner = endings(() => ending);
  const dispatch: Dispatch = throughRotation(rotation, inner.dispatch);
  const upstream = testUpstream({ id: "a" });
  return {
    rotation,
    states,
    upstream,
    async calls(next: Ending, count = 1, to: Upstream = upstream): Promise<void> {
      for (let call = 0; call < count; call++) {
        ending = typeof next === "number" ? complete(next) : next;
        await dispatch(testRequest({ upstream: to })).catch(() => {});
        await clock.advance(0);
      }
    },
    /** Begins an attempt and leaves it open; what it returns ends it. */
    begin(to: Upstream = upstream) {
      let end: (how: Ending) => void = () => {};
      ending = new Promise((resolve) => {
        end = resolve;
      });
      const request = testRequest({ upstream: to });
      const settled = dispatch(request).catch(() => {});
      return async (how: Ending) => {
        end(how);
        await settled;
        await clock.advance(0);
        return request;
      };
    },
  };
}

/** An answer whose body has come with its head. */
function complete(status: number): OpenResponse {
  const response = openResponse(status);
  response.body.close();
  return response;
}

const refused: Ending = { code: "ERR_MESH_CONNECT" };

describe("the circuit of an instance", () => {
  it("is made at its first failure: a healthy instance has none, and no timer", async () => {
    const { calls, upstream } = under();
    for (const ending of [200, 404, 500, { throws: "abort" }, { code: "ERR_MESH_LOCAL_RESOURCE" }] as readonly Ending[])
      await calls(ending, 10);
    expect([clock.pending.length, upstream.failures]).toEqual([0, 0]);
    await calls(503);
    expect([clock.pending.length, upstream.failures]).toEqual([1, 1]);
  });

  for (const code of ["ERR_MESH_CONNECT", "ERR_MESH_TLS_PEER"] as const) {
    it(`opens at one ${code}, before the caller hears of it`, async () => {
      const { rotation, upstream, states } = under();
      const seen: string[] = [];
      await throughRotation(
        rotation,
        endings(() => ({ code })).dispatch,
      )(testRequest({ upstream })).catch(() => seen.push(stateOf(upstream)));
      expect([seen, states]).toEqual([["ejected"], ["a ejected"]]);
    });
  }

  it("opens after five failures in a row of what was sent", async () => {
    for (const ending of [503, { code: "ERR_MESH_TIMEOUT" }, { code: "ERR_MESH_PROTOCOL" }] as readonly Ending[]) {
      const { calls, upstream } = under();
      await calls(ending, 4);
      await calls(200);
      await calls(ending, 4);
      expect(stateOf(upstream)).toBe("available");
      await calls(ending);
      expect(stateOf(upstream)).toBe("ejected");
    }
  });

  it("takes the number in a row, the share and the pauses from the options", async () => {
    const { calls, upstream } = under({ consecutiveFailures: 2, resetMs: 100, maxResetMs: 150 });
    await calls(503, 2);
    expect(stateOf(upstream)).toBe("ejected");
    for (const pauseMs of [100, 150, 150]) {
      await clock.advance(pauseMs - 1);
      expect(stateOf(upstream)).toBe("ejected");
      await clock.advance(1);
      expect(stateOf(upstream)).toBe("probing");
      await calls(503);
    }
    const share = under({ consecutiveFailures: 1_000, failureRatio: 0.25, minCalls: 8 });
    for (let round = 0; round < 4; round++) {
      await share.calls(503);
      await share.calls(200);
    }
    expect(stateOf(share.upstream)).toBe("available");
    await share.calls(503);
    expect(stateOf(share.upstream)).toBe("ejected");
  });

  it("never counts local faults, the caller's aborts and mistakes, 500 and 4xx", async () => {
    const { calls, upstream } = under();
    await calls(503, 4);
    for (const ending of [
      { code: "ERR_MESH_LOCAL_RESOURCE" },
      { throws: new DOMException("stop", "AbortError") },
      { throws: new TypeError("mine") },
    ] as readonly Ending[]) {
      await calls(ending, 50);
    }
    expect([stateOf(upstream), upstream.failures]).toEqual(["available", 4]);
    await calls(500);
    await calls(404);
    await calls(503, 4);
    expect([stateOf(upstream), upstream.failures]).toEqual(["available", 8]);
  });

  it("is dropped after ten quiet seconds, with its timer", async () => {
    const { calls, rotation, upstream } = under();
    await calls(503, 4);
    await clock.advance(12_000);
    expect([clock.pending.length, rotation.state(upstream)]).toEqual([0, "available"]);
    await calls(503, 4);
    expect(stateOf(upstream)).toBe("available");
    await calls(503);
    expect(stateOf(upstream)).toBe("ejected");
  });

  it("is forgotten with the instance, open or not, and not made again by what still ends", async () => {
    const { calls, rotation, upstream, states, begin } = under();
    const end = begin();
    const other = begin();
    await calls(refused);
    upstream.markRemoved();
    rotation.forget(upstream);
    rotation.forget(upstream);
    await end(503);
    await other(200);
    expect([clock.pending.length, states, upstream.failures]).toEqual([0, ["a ejected"], 2]);
  });

  it("is not made by what ends after dispose", async () => {
    const { rotation, begin, upstream } = under();
    const first = begin();
    const second = begin();
    const body = openResponse();
    await second(body);
    rotation.dispose();
    await first(refused);
    body.body.close(
      new MeshError("ERR_MESH_BODY", "cut", { attempts: [{ endpoint: "a", address: "a:1", phase: "body", ms: 1, maybeExecuted: true }] }),
    );
    expect([clock.pending.length, stateOf(upstream)]).toEqual([0, "available"]);
  });

  it("keeps the instances apart", async () => {
    const { calls, upstream, rotation } = under();
    const other = testUpstream({ id: "b", port: 2 });
    await calls(refused, 1, other);
    expect([stateOf(upstream), stateOf(other), rotation.state(upstream), rotation.state(other)]).toEqual([
      "available",
      "ejected",
      "available",
      "ejected",
    ]);
  });
});

describe("a probe", () => {
  async function waiting(options: Partial<RotationOptions> = {}) {
    const setup = under(options);
    await setup.calls(refused);
    await clock.advance(1_000);
    expect(stateOf(setup.upstream)).toBe("probing");
    return setup;
  }

  it("is one at a time: nobody is sent to the instance until it has ended", async () => {
    const { begin, upstream } = await waiting();
    const end = begin();
    expect(stateOf(upstream)).toBe("being probed");
    await end(200);
    expect(stateOf(upstream)).toBe("available");
  });

  it("that fails takes the instance out for twice as long", async () => {
    const { calls, upstream } = await waiting();
    await calls(503);
    await clock.advance(1_999);
    expect(stateOf(upstream)).toBe("ejected");
    await clock.advance(1);
    expect(stateOf(upstream)).toBe("probing");
  });

  it("that the caller aborts leaves its place to the next", async () => {
    const { begin, upstream, calls } = await waiting();
    const end = begin();
    await end({ throws: "abort" });
    expect(stateOf(upstream)).toBe("probing");
    await calls(200);
    expect(stateOf(upstream)).toBe("available");
  });

  it("that never ends leaves its place after ten seconds", async () => {
    const { begin, upstream, calls } = await waiting();
    const end = begin();
    await clock.advance(12_000);
    expect(stateOf(upstream)).toBe("probing");
    const second = begin();
    await end({ throws: "abort" });
    expect(stateOf(upstream), "the second is still under way").toBe("being probed");
    await second(503);
    await calls(200);
    expect(stateOf(upstream), "closed by what went through in panic").toBe("available");
  });

  it("is decided by the head, not by a long body", async () => {
    const { begin, upstream } = await waiting();
    const end = begin();
    await end(openResponse(200));
    expect(stateOf(upstream)).toBe("available");
  });
});

describe("when nobody is available", () => {
  it("a success of what was sent all the same brings its instance back", async () => {
    const { calls, upstream, states } = under();
    await calls(refused);
    await calls(503);
    expect(stateOf(upstream), "a failure changes nothing").toBe("ejected");
    await calls(200);
    expect([stateOf(upstream), states]).toEqual(["available", ["a ejected", "a available"]]);
    await clock.advance(60_000);
    expect(stateOf(upstream)).toBe("available");
  });

  it("an attempt that began before the trip brings nobody back and takes nobody out", async () => {
    const { calls, upstream, begin } = under();
    const good = begin();
    const bad = begin();
    await calls(refused);
    await good(200);
    expect(stateOf(upstream)).toBe("ejected");
    await clock.advance(1_000);
    await calls(200);
    await bad(refused);
    expect(stateOf(upstream)).toBe("available");
  });
});

describe("the body", () => {
  const cut = new MeshError("ERR_MESH_BODY", "cut", {
    attempts: [{ endpoint: "a", address: "a:1", phase: "body", ms: 1, maybeExecuted: true }],
  });

  it("that is cut off counts against the instance: five in a row take it out, although each had a good head", async () => {
    const { begin, upstream } = under();
    for (let call = 1; call <= 5; call++) {
      expect(stateOf(upstream)).toBe("available");
      const response = openResponse();
      await begin()(response);
      response.body.close(cut);
      await clock.advance(0);
    }
    expect([stateOf(upstream), upstream.failures]).toEqual(["ejected", 5]);
  });

  it("that arrives whole counts for it", async () => {
    const { begin, upstream, calls } = under();
    await calls(503, 4);
    const response = openResponse();
    await begin()(response);
    response.body.close();
    await calls(503, 4);
    expect(stateOf(upstream)).toBe("available");
  });

  it("that the caller cancels, or that the call's deadline ends, is no failure", async () => {
    const { begin, upstream } = under();
    for (let call = 0; call < 10; call++) {
      const cancelled = openResponse();
      await begin()(cancelled);
      cancelled.body.cancel(new DOMException("enough", "AbortError"));
      const slow = openResponse();
      const request = await begin()(slow);
      const late = new MeshError("ERR_MESH_TIMEOUT", "deadline", { attempts: cut.attempts });
      request.cancellation.cancel(late);
      slow.body.close(late);
    }
    expect([upstream.failures, stateOf(upstream)]).toEqual([0, "available"]);
  });

  it("that stops for its idle limit is one", async () => {
    const { begin, upstream } = under();
    const response = openResponse();
    await begin()(response);
    response.body.close(new MeshError("ERR_MESH_TIMEOUT", "idle", { attempts: cut.attempts }));
    expect(upstream.failures).toBe(1);
  });

  it("of a long download that fails after its circuit was dropped begins a new one, which goes when all is quiet", async () => {
    const { begin, calls, upstream, rotation } = under();
    await calls(refused);
    await clock.advance(1_000);
    await calls(200);
    const response = openResponse();
    await begin()(response);
    await clock.advance(12_000);
    expect(clock.pending.length).toBe(0);
    response.body.close(cut);
    await clock.advance(0);
    expect([clock.pending.length, upstream.failures, rotation.state(upstream)]).toEqual([1, 2, "available"]);
    await clock.advance(12_000);
    expect(clock.pending.length).toBe(0);
  });
});

describe("a permit", () => {
  it("is told how its work ended, whatever was begun meanwhile", async () => {
    const { rotation, upstream } = under();
    const before = begun(rotation, upstream);
    for (let call = 0; call < 3; call++) begun(rotation, upstream)("neutral", false);
    begun(rotation, upstream)("failure", true);
    await clock.advance(0);
    expect([stateOf(upstream), upstream.failures]).toEqual(["ejected", 1]);
    before("success", false);
    expect(stateOf(upstream)).toBe("ejected");
    await clock.advance(1_000);
    const probe = begun(rotation, upstream);
    expect(stateOf(upstream)).toBe("being probed");
    probe("neutral", false);
    expect(stateOf(upstream)).toBe("probing");
    begun(rotation, upstream)("success", false);
    await clock.advance(0);
    expect(stateOf(upstream)).toBe("available");
    for (let call = 0; call < 5; call++) begun(rotation, upstream)("failure", false);
    expect(stateOf(upstream)).toBe("ejected");
  });
});

it("takes an instance out of a balancer's candidates and back, without any other hand", async () => {
  const { rotation, calls } = under();
  const balancer = new Balancer({ service: "orders", picker: roundRobin(), onRemoved: (upstream) => rotation.forget(upstream) });
  balancer.update([1, 2].map((port) => ({ id: `i${port}`, host: "127.0.0.1", port })));
  const [one, two] = balancer.upstreams as [Upstream, Upstream];
  await calls(refused, 1, one);
  expect(balancer.candidates).toEqual([two]);
  await clock.advance(1_000);
  expect(balancer.pick(testRequest(), true)).toBe(one);
  await calls(200, 1, one);
  expect(balancer.candidates).toEqual([one, two]);
  await calls(503, 1, two);
  balancer.update([]);
  expect(clock.pending.length).toBe(0);
});

describe("an attempt in panic", () => {
  it("that ends well after the circuit has closed and opened again does not close it", async () => {
    const { upstream, calls, begin } = under();
    await calls({ code: "ERR_MESH_CONNECT" });
    const late = begin();
    await clock.advance(1_300);
    await calls(200);
    expect(stateOf(upstream)).toBe("available");
    await calls({ code: "ERR_MESH_CONNECT" });
    expect(stateOf(upstream)).toBe("ejected");
    await late(200);
    expect(stateOf(upstream)).toBe("ejected");
  });
});
