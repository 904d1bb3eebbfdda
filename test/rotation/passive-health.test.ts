import { describe, expect, it } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import type { RotationOptions } from "../../src/rotation/rotation.ts";
import { openResponse } from "../support/open-response.ts";
import { clock, inVirtualTime } from "../support/virtual-time.ts";
import { begun } from "./attempts.ts";
import { refused, under } from "./rigs.ts";
import { stateOf } from "./states.ts";

inVirtualTime();

describe("a probe", () => {
  async function waiting(options: Partial<RotationOptions> = {}) {
    const setup = under(options);
    await setup.calls(refused);
    await clock.advance(1_000);
    expect(stateOf(setup.upstream)).toBe("probing");
    return setup;
  }

  it("is one at a time: no other request is sent to the instance until it has ended", async () => {
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

  it("an attempt that began before the trip brings no instance back and takes none out", async () => {
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
    response.body.waitedMs = 30_000;
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
