import { describe, expect, it } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { type Ending, endings } from "../support/endings.ts";
import { openResponse } from "../support/open-response.ts";
import { clock, inVirtualTime } from "../support/virtual-time.ts";
import { throughRotation } from "./attempts.ts";
import { refused, under } from "./rigs.ts";
import { stateOf } from "./states.ts";

inVirtualTime();

describe("the circuit of an instance", () => {
  it("is made at its first failure: a healthy instance has none, and no timer", async () => {
    const { calls, upstream } = under();
    for (const ending of [200, 404, { throws: "abort" }, { code: "ERR_MESH_LOCAL_RESOURCE" }] as readonly Ending[]) await calls(ending, 10);
    expect([clock.pending.length, upstream.failures]).toEqual([0, 0]);
    // A failure of the instance, which its circuit leaves to the rules of ejection.
    await calls(500, 10);
    expect([clock.pending.length, upstream.failures]).toEqual([0, 10]);
    await calls(503);
    expect([clock.pending.length, upstream.failures]).toEqual([1, 11]);
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
    const { calls, upstream } = under({ consecutiveFailures: 2, breakMs: 100, maxBreakMs: 150 });
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

  it("never opens by local faults, the caller's aborts and mistakes, 500 and 4xx", async () => {
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
    expect([stateOf(upstream), upstream.failures]).toEqual(["available", 9]);
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
