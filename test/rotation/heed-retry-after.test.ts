import { afterEach, describe, expect, it } from "vitest";
import type { Upstream } from "../../src/core/upstream.ts";
import { Rotation } from "../../src/rotation/rotation.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { endings } from "../support/endings.ts";
import { openResponse } from "../support/open-response.ts";
import { throughRotation } from "./attempts.ts";
import { stateOf } from "./states.ts";

const made: Rotation[] = [];
afterEach(() => {
  for (const rotation of made.splice(0)) rotation.dispose();
});

function rig(count: number, random = 0.5) {
  const clock = virtualClock();
  const upstreams = Array.from({ length: count }, (_, index) => testUpstream({ id: String(index), port: index + 1 }));
  const rotation = new Rotation({ clock, random: () => random, upstreams: () => upstreams });
  made.push(rotation);
  const answer = async (upstream: Upstream, status: number, headers: Record<string, string> = {}) => {
    const response = openResponse(status, headers);
    const dispatch = throughRotation(rotation, endings(() => response).dispatch);
    await dispatch(testRequest({ upstream }));
    response.body.close();
    await clock.advance(0);
  };
  return { clock, rotation, upstreams: upstreams as [Upstream, ...Upstream[]], answer };
}

describe("an instance that asks to be left alone", () => {
  it("with 503 and Retry-After is left alone for at least so long", async () => {
    const status = 503;
    for (const [random, untilS] of [
      [0, 10],
      [0.999, 15],
    ] as const) {
      const { clock, rotation, upstreams, answer } = rig(3, random);
      const [first] = upstreams;
      await answer(first, status, { "retry-after": "10" });
      expect(stateOf(first)).toBe("ejected");
      expect(rotation.standing(first)).toMatchObject({ state: "ejected", rule: "retry-after", ejections: 1 });
      await clock.advance(untilS * 1_000 - 20);
      expect(stateOf(first)).toBe("ejected");
      await clock.advance(40);
      expect(stateOf(first)).toBe("probing");
      await answer(first, 200);
      expect(stateOf(first)).toBe("available");
    }
  });

  it.each<[string, number, Record<string, string>]>([
    ["another status", 500, { "retry-after": "10" }],
    ["429, which asks one caller alone", 429, { "retry-after": "10" }],
    ["no header", 503, {}],
    ["a header that says nothing", 503, { "retry-after": "soon" }],
    ["a wait of nothing", 503, { "retry-after": "0" }],
  ])("is not left alone for %s", async (_what, status, headers) => {
    const { upstreams, answer } = rig(3);
    await answer(upstreams[0], status, headers);
    expect(stateOf(upstreams[0])).toBe("available");
  });

  it("again when it is probed is left alone again, for as long as it asks then", async () => {
    for (const status of [503]) {
      const { clock, rotation, upstreams, answer } = rig(3);
      const [first] = upstreams;
      await answer(first, status, { "retry-after": "10" });
      await clock.advance(12_500);
      expect(stateOf(first)).toBe("probing");
      await answer(first, status, { "retry-after": "40" });
      expect(rotation.standing(first)).toMatchObject({ state: "ejected", rule: "retry-after" });
      await clock.advance(49_000);
      expect(stateOf(first)).toBe("ejected");
      await clock.advance(1_100);
      expect(stateOf(first)).toBe("probing");
    }
  });

  it("in answer to an attempt in panic is not let in by it", async () => {
    const { upstreams, answer, clock } = rig(3);
    const [first] = upstreams;
    await answer(first, 503, { "retry-after": "10" });
    await answer(first, 503, { "retry-after": "10" });
    expect(stateOf(first)).toBe("ejected");
    await answer(first, 200);
    expect(stateOf(first)).toBe("available");
    await clock.advance(60_000);
  });

  it("for a day is left alone for a minute", async () => {
    const { clock, upstreams, answer } = rig(2);
    await answer(upstreams[0], 503, { "retry-after": "86400" });
    await clock.advance(90_000);
    expect(stateOf(upstreams[0])).toBe("probing");
  });

  it("is not left alone when it is the last one", async () => {
    const alone = rig(1);
    await alone.answer(alone.upstreams[0], 503, { "retry-after": "10" });
    expect(stateOf(alone.upstreams[0])).toBe("available");
    const two = rig(2);
    for (const upstream of two.upstreams) await two.answer(upstream, 503, { "retry-after": "10" });
    expect(two.upstreams.map(stateOf)).toEqual(["ejected", "available"]);
  });
});
