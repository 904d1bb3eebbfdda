import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Upstream } from "../../src/core/upstream.ts";
import type { RotationOptions } from "../../src/rotation/rotation.ts";
import { testUpstream } from "../../src/testing/request.ts";
import type { Ending } from "../support/endings.ts";
import { clock, freshClock, inVirtualTime } from "../support/virtual-time.ts";
import { refused, service, timeout } from "./rigs.ts";
import { onState, stateOf } from "./states.ts";

inVirtualTime();

describe("a sweep", () => {
  it("begins with the first failure and ends with an interval without one: no timer for a healthy or idle service", async () => {
    const { traffic, calls } = service(5);
    await traffic([200, 200, 404, 429, 200]);
    expect(clock.pending).toEqual([]);
    await calls(500, 1, 0);
    expect(clock.pending).toEqual([{ inMs: 10_000, keepsProcess: false }]);
    await clock.advance(10_000);
    await traffic([200, 200, 200, 200, 200]);
    expect(clock.pending).toHaveLength(1);
    await clock.advance(10_000);
    expect(clock.pending).toEqual([]);
    await traffic([200, 200, 200, 200, 200]);
    expect(clock.pending).toEqual([]);
  });

  it("has one timer however many instances fail", async () => {
    const { calls } = service(100);
    for (let index = 0; index < 100; index++) await calls(500, 3, index);
    expect(clock.pending).toHaveLength(1);
  });

  it("takes out the instance that answers nothing but 500, which neither its breaker nor a retry minds, by failure percentage", async () => {
    const { traffic, out, rotation, upstreams, states } = service(5);
    await traffic([200, 200, 500, 200, 200]);
    expect([out(), upstreams[2]?.failures]).toEqual([[], 100]);
    await clock.advance(10_000);
    expect([out(), states]).toEqual([["i2"], ["i2 ejected"]]);
    expect(rotation.standing(upstreams[2] as Upstream)).toEqual({
      state: "ejected",
      rule: "failure percentage",
      sinceMs: clock.wallNow(),
      untilMs: clock.wallNow() + 30_000,
      ejections: 1,
      healthCheck: undefined,
    });
    expect(rotation.standing(upstreams[0] as Upstream)).toEqual({
      state: "available",
      rule: undefined,
      sinceMs: undefined,
      untilMs: undefined,
      ejections: 0,
      healthCheck: undefined,
    });
  });

  it("takes out the instance that fails half the time by success rate", async () => {
    const { traffic, calls, out, rotation, upstreams } = service(5);
    await traffic([200, 200, 200, 200]);
    for (let round = 0; round < 50; round++) {
      await calls(200, 1, 4);
      await calls(500, 1, 4);
    }
    await traffic([200, 200, 200, 200], 1);
    await clock.advance(10_000);
    expect(out(), "the calls from before the first failure are not counted").toEqual([]);
    await traffic([200, 200, 200, 200]);
    for (let round = 0; round < 50; round++) {
      await calls(200, 1, 4);
      await calls(500, 1, 4);
    }
    await clock.advance(10_000);
    expect([out(), rotation.standing(upstreams[4] as Upstream).rule]).toEqual([["i4"], "success rate"]);
  });

  it("counts what breakers count too, but no caller's abort, either way", async () => {
    const { calls, traffic, out } = service(5, { consecutiveFailures: 1_000, minCalls: 1_000 });
    await calls(timeout, 60, 0);
    await calls(503, 30, 0);
    await calls(200, 10, 0);
    await calls({ throws: "abort" }, 1_000, 0);
    await traffic([404, 200, 200, 200, 200]);
    await clock.advance(10_000);
    expect(out(), "45 percent").toEqual(["i0"]);
    const aborted = service(5, { consecutiveFailures: 1_000, minCalls: 1_000, ejection: { successRate: false } });
    await aborted.calls(timeout, 90, 0);
    await aborted.calls(200, 10, 0);
    await aborted.calls({ throws: "abort" }, 1_000, 0);
    await aborted.calls({ throws: "abort" }, 1_000, 1);
    for (const index of [1, 2, 3, 4]) await aborted.calls(200, 50, index);
    await clock.advance(10_000);
    expect(aborted.out()).toEqual(["i0"]);
  });

  it("judges by neither rule that is switched off", async () => {
    const { traffic, out } = service(5, { ejection: { failurePercentage: false, successRate: false } });
    await traffic([500, 200, 200, 200, 200]);
    await clock.advance(10_000);
    expect(out()).toEqual([]);
  });

  it("is none where ejection is false", async () => {
    const { traffic } = service(5, { ejection: false });
    await traffic([500, 200, 200, 200, 200]);
    expect(clock.pending).toEqual([]);
  });

  it("takes its options", async () => {
    const { traffic, out, rotation, upstreams } = service(2, {
      ejection: { intervalMs: 500, baseEjectionMs: 40, failurePercentage: { minCalls: 5 } },
    });
    await traffic([500, 200], 5);
    await clock.advance(500);
    expect([out(), rotation.standing(upstreams[0] as Upstream).untilMs]).toEqual([["i0"], clock.wallNow() + 40]);
  });

  it("judges two instances and no single one", async () => {
    const two = service(2);
    await two.traffic([500, 200]);
    const one = service(1);
    await one.traffic([500]);
    await clock.advance(10_000);
    expect([two.out(), one.out()]).toEqual([["i0"], []]);
  });

  it("takes out nobody who is out or has left meanwhile", async () => {
    const { traffic, calls, rotation, upstreams, states } = service(5);
    await traffic([500, 500, 200, 200, 200]);
    await calls(refused, 1, 0);
    const gone = upstreams.splice(1, 1)[0] as Upstream;
    gone.markRemoved();
    rotation.forget(gone);
    await clock.advance(10_000);
    expect(states.filter((state) => state.endsWith(" ejected"))).toEqual(["i0 ejected"]);
    expect(rotation.standing(upstreams[0] as Upstream)).toMatchObject({ rule: "connection refused", ejections: 1 });
    expect(rotation.state(gone)).toBe("available");
  });
});

describe("an ejected instance", () => {
  async function ejected(options: Partial<RotationOptions> = {}) {
    const setup = service(5, options);
    const again = async () => {
      await setup.traffic([500, 200, 200, 200, 200]);
      await clock.advance(10_000);
      expect(setup.out()).toEqual(["i0"]);
    };
    await again();
    return { ...setup, again, bad: setup.upstreams[0] as Upstream };
  }

  it("comes back by one probe after its time", async () => {
    const { bad, calls, states } = await ejected();
    await clock.advance(29_999);
    expect(stateOf(bad)).toBe("ejected");
    await clock.advance(1);
    expect(stateOf(bad)).toBe("probing");
    await calls(200, 1, 0);
    await clock.advance(0);
    expect([stateOf(bad), states]).toEqual(["available", ["i0 ejected", "i0 probing", "i0 available"]]);
  });

  it("stays out when the probe is answered with what it was ejected for, twice as long", async () => {
    const { bad, calls, rotation } = await ejected();
    await clock.advance(30_000);
    await calls(500, 1, 0);
    await clock.advance(0);
    expect([stateOf(bad), rotation.standing(bad).rule]).toEqual(["ejected", "failure percentage"]);
    await clock.advance(59_999);
    expect(stateOf(bad)).toBe("ejected");
    await clock.advance(1);
    expect(stateOf(bad)).toBe("probing");
  });

  it("is not brought back by a server error that it answers in panic, and is by anything else", async () => {
    const { bad, calls } = await ejected();
    await calls(500, 3, 0);
    expect(stateOf(bad)).toBe("ejected");
    await calls(404, 1, 0);
    expect(stateOf(bad)).toBe("available");
  });

  it("is out twice as long each time, up to the longest, and less so after good sweeps", async () => {
    const { bad, calls, again, rotation } = await ejected({ ejection: { maxEjectionMs: 100_000 } });
    const pauseMs = () => (rotation.standing(bad).untilMs ?? 0) - (rotation.standing(bad).sinceMs ?? 0);
    const back = async () => {
      await clock.advance(pauseMs());
      await calls(200, 1, 0);
      await clock.advance(0);
      expect(stateOf(bad)).toBe("available");
    };
    const pauses = [pauseMs()];
    for (let round = 0; round < 3; round++) {
      await back();
      await again();
      pauses.push(pauseMs());
    }
    expect(pauses).toEqual([30_000, 60_000, 100_000, 100_000]);
    await back();
    await clock.advance(30_000);
    await again();
    expect(pauseMs(), "three good sweeps and the bad one").toBe(60_000);
  });

  it("keeps count of its ejections", async () => {
    const { bad, calls, again, rotation } = await ejected();
    await clock.advance(30_000);
    await calls(200, 1, 0);
    await clock.advance(0);
    expect(rotation.standing(bad)).toMatchObject({ state: "available", rule: undefined, ejections: 1 });
    await again();
    expect(rotation.standing(bad).ejections).toBe(2);
  });

  it("is out for its breaker's time again when its breaker opens later", async () => {
    const { bad, calls, rotation } = await ejected();
    await clock.advance(30_000);
    await calls(200, 1, 0);
    await clock.advance(0);
    await calls(timeout, 5, 0);
    expect(rotation.standing(bad)).toMatchObject({ rule: "consecutive failures", untilMs: clock.wallNow() + 1_000, ejections: 2 });
  });

  it("is varied by ± 20 percent", async () => {
    const { bad, rotation } = await ejected({ random: () => 0 });
    expect(rotation.standing(bad).untilMs).toBe(clock.wallNow() + 24_000);
  });
});

describe("never the whole service", () => {
  it("sweeps take out half of it at most, the worst first", async () => {
    const { calls, out } = service(6, { ejection: { successRate: false } });
    for (const [index, failures] of [90, 100, 95, 97].entries()) {
      await calls(500, failures, index);
      await calls(200, 100 - failures, index);
    }
    await calls(200, 100, 4);
    await calls(200, 100, 5);
    await clock.advance(10_000);
    expect(out()).toEqual(["i1", "i2", "i3"]);
  });

  it("instances that never answer go up to the cap too, and those above it stay, with their breakers closed", async () => {
    const { calls, out, rotation, upstreams, states } = service(4);
    for (const index of [0, 1, 2]) await calls(timeout, 50, index);
    expect(out()).toEqual(["i0", "i1"]);
    expect([rotation.state(upstreams[2] as Upstream), states]).toEqual(["available", ["i0 ejected", "i1 ejected"]]);
  });

  it("the next one goes as soon as another is back", async () => {
    const { calls, out } = service(2);
    await calls(timeout, 5, 0);
    await calls(timeout, 50, 1);
    expect(out()).toEqual(["i0"]);
    await clock.advance(1_000);
    await calls(200, 1, 0);
    await clock.advance(0);
    expect(out()).toEqual([]);
    await calls(timeout, 5, 1);
    expect(out()).toEqual(["i1"]);
  });

  it("the share of failures of one instance opens no breaker above the cap either", async () => {
    const { calls, out } = service(2, { consecutiveFailures: 1_000 });
    await calls(timeout, 20, 0);
    await calls(timeout, 200, 1);
    await clock.advance(0);
    expect(out()).toEqual(["i0"]);
  });

  it("who refuses connections is out, all of them if it must be, and leaves the cap to the others", async () => {
    const { calls, out } = service(6);
    for (const index of [0, 1, 2, 3]) await calls(refused, 1, index);
    expect(out()).toEqual(["i0", "i1", "i2", "i3"]);
    await calls(timeout, 5, 4);
    expect(out()).toEqual(["i0", "i1", "i2", "i3", "i4"]);
    await calls(timeout, 50, 5);
    expect(out(), "the last one that can be reached").toEqual(["i0", "i1", "i2", "i3", "i4"]);
    await calls(refused, 1, 5);
    expect(out()).toHaveLength(6);
  });

  it("a single instance opens its breaker as it always did: nobody else could be spared for it", async () => {
    const { calls, out } = service(1);
    await calls(timeout, 5, 0);
    expect(out()).toEqual(["i0"]);
  });

  it("counts only the instances that are in use: of a subset others may be out too", async () => {
    const { rotation, upstreams, calls, out } = service(4);
    const others = Array.from({ length: 10 }, (_, index) => testUpstream({ id: `other${index}`, port: 100 + index }));
    for (const other of others) {
      await calls(refused, 1, other);
      expect(rotation.state(other)).toBe("ejected");
    }
    await calls(timeout, 5, 0);
    await calls(timeout, 5, 1);
    await calls(timeout, 50, 2);
    expect([out(), upstreams.length]).toEqual([["i0", "i1"], 4]);
  });

  it("has no cap where ejection is false", async () => {
    const { calls, out } = service(3, { ejection: false });
    for (const index of [0, 1, 2]) await calls(timeout, 5, index);
    expect(out()).toEqual(["i0", "i1", "i2"]);
  });

  it("holds whatever happens in whatever order: no rule that can be wrong takes more than half of those that can be reached", async () => {
    const endings: readonly Ending[] = [200, 200, 500, 500, 503, timeout, timeout, refused, { throws: "abort" }];
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 8 }),
        fc.array(
          fc.record({ to: fc.nat(7), ending: fc.nat(endings.length - 1), times: fc.integer({ min: 1, max: 12 }), waitMs: fc.nat(3_000) }),
          {
            maxLength: 40,
          },
        ),
        async (instances, steps) => {
          freshClock();
          const violations: string[] = [];
          const setup = service(instances, {
            ejection: {
              intervalMs: 1_000,
              baseEjectionMs: 1_000,
              successRate: { minCalls: 5, minInstances: 2, deviations: 0.5 },
              failurePercentage: { minCalls: 5 },
            },
            events: onState(({ upstream, state, rule }) => {
              if (state !== "ejected" || rule === "connection refused") return;
              const rules = setup.upstreams.map((each) => setup.rotation.standing(each).rule);
              const gone = rules.filter((each) => each === "connection refused").length;
              const judged = rules.filter((each) => each !== undefined).length - gone;
              // A probe that fails opens again what was out already: that takes nobody away.
              if (judged > Math.max(1, (instances - gone) / 2) && !wasOut.has(upstream))
                violations.push(`${judged} of ${instances - gone}`);
              if (judged >= instances - gone && gone < instances && !wasOut.has(upstream)) violations.push("the last one");
            }),
          });
          let wasOut = new Set<Upstream>();
          for (const { to, ending, times, waitMs } of steps) {
            wasOut = new Set(setup.upstreams.filter(({ state }) => state !== "available"));
            await setup.calls(endings[ending] as Ending, times, to % instances);
            wasOut = new Set(setup.upstreams.filter(({ state }) => state !== "available"));
            await clock.advance(waitMs);
          }
          setup.rotation.dispose();
          expect([violations, clock.pending]).toEqual([[], []]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
