import { describe, expect, it } from "vitest";
import { type ThrottleOptions, throttle } from "../../src/policies/throttle.ts";
import { testRequest } from "../../src/testing/request.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Ending, endings } from "../support/endings.ts";

function rig(ending: () => Ending, options: ThrottleOptions = {}) {
  const clock = virtualClock();
  const inner = endings(ending);
  const dispatch = throttle({ ...options, service: "orders", clock, random: seededRandom(3) })(inner.dispatch);
  const many = async (count: number) => {
    const before = inner.requests.length;
    let overloaded = 0;
    for (let call = 0; call < count; call++) {
      await dispatch(testRequest()).catch((error) => {
        if (error.code === "ERR_MESH_OVERLOADED") overloaded++;
      });
    }
    return { sent: inner.requests.length - before, overloaded };
  };
  return { clock, many };
}

describe("throttle", () => {
  it("lets everything through to a service that accepts at least half", async () => {
    let call = 0;
    expect(await rig(() => 200).many(1_000)).toEqual({ sent: 1_000, overloaded: 0 });
    expect((await rig(() => (call++ % 2 === 0 ? 200 : 503)).many(1_000)).sent).toBeGreaterThan(950);
  });

  it("sends twice as many as are accepted, where a tenth is", async () => {
    let call = 0;
    const { many } = rig(() => (call++ % 10 === 0 ? 200 : 503));
    await many(2_000);
    const { sent, overloaded } = await many(2_000);
    expect(sent + overloaded).toBe(2_000);
    // accepted = sent / 10, and calls hold back until 2 × accepted of them are let through on average: a few in a hundred.
    expect(sent / 2_000).toBeLessThan(0.1);
    expect(sent).toBeGreaterThan(0);
  });

  it.each<[string, Ending, boolean]>([
    ["a refused connection", { code: "ERR_MESH_CONNECT" }, true],
    ["a timeout", { code: "ERR_MESH_TIMEOUT" }, true],
    ["502", 502, true],
    ["500, which is an answer", 500, false],
    ["404", 404, false],
    ["429, which is said to one caller", 429, false],
    ["the caller's abort", { throws: new Error("aborted") }, false],
  ])("counts %s as it is", async (_what, ending, isHeldBack) => {
    const { many } = rig(() => ending);
    const { overloaded } = await many(300);
    if (isHeldBack) expect(overloaded).toBeGreaterThan(200);
    else expect(overloaded).toBe(0);
  });

  it("holds nothing back because it is still under way", async () => {
    const clock = virtualClock();
    const open: ((ending: Ending) => void)[] = [];
    const inner = endings(() => new Promise<Ending>((resolve) => open.push(resolve)));
    const dispatch = throttle({ service: "orders", clock, random: () => 0 })(inner.dispatch);
    const calls = Array.from({ length: 100 }, () => dispatch(testRequest()));
    for (const end of open) end(200);
    expect(await Promise.all(calls)).toHaveLength(100);
  });

  it("forgets after its window", async () => {
    let isUp = false;
    const { many, clock } = rig(() => (isUp ? 200 : 503), { windowMs: 12_000 });
    expect((await many(500)).overloaded).toBeGreaterThan(400);
    isUp = true;
    await clock.advance(13_000);
    expect((await many(500)).overloaded).toBe(0);
  });
});
