import { describe, expect, it } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import { Upstream } from "../../src/core/upstream.ts";
import { OperatorHolds } from "../../src/rotation/operator-holds.ts";
import { UpstreamBreakers } from "../../src/rotation/upstream-breaker.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { onState, stateOf } from "./states.ts";

function fail(breakers: UpstreamBreakers, upstream: Upstream): void {
  breakers.failed(upstream, breakers.admit(upstream), new MeshError("ERR_MESH_PROTOCOL", "reset"));
}

function setUp() {
  const clock = virtualClock();
  const upstreams = ["a", "b", "c"].map((id) => new Upstream("orders", { id, host: id, port: 1 }));
  const ejections: string[] = [];
  const breakers = new UpstreamBreakers({
    clock,
    random: () => 0.5,
    events: onState(({ upstream, former, rule }) => {
      if (former === "available") ejections.push(`${upstream.id}: ${rule}`);
    }),
    upstreams: () => upstreams,
  });
  const [first] = upstreams as [Upstream, ...Upstream[]];
  return { clock, upstreams, first, breakers, holds: new OperatorHolds(breakers, clock), ejections };
}

describe("an instance that an operator takes out", () => {
  it("is out for exactly that long, without a probe, and back by itself", async () => {
    const { clock, first, breakers, holds, ejections } = setUp();
    holds.hold(first, 60_000);
    expect(stateOf(first)).toBe("ejected");
    expect(breakers.standing(first)).toMatchObject({
      state: "ejected",
      rule: "operator",
      sinceMs: clock.wallNow(),
      untilMs: clock.wallNow() + 60_000,
      ejections: 1,
    });
    expect(ejections).toEqual(["a: operator"]);
    await clock.advance(59_999);
    expect(stateOf(first)).toBe("ejected");
    await clock.advance(1);
    expect(stateOf(first)).toBe("available");
    expect(breakers.standing(first)).toMatchObject({ state: "available", rule: undefined, untilMs: undefined });
  });

  it("is back at once when it is put back, and its time ends nothing later", async () => {
    const { clock, first, holds } = setUp();
    holds.hold(first, 10_000);
    holds.release(first);
    expect(stateOf(first)).toBe("available");
    holds.hold(first, 60_000);
    await clock.advance(10_000);
    expect(stateOf(first)).toBe("ejected");
    holds.dispose();
    expect(clock.pending.filter(({ inMs }) => inMs > 1_000)).toEqual([]);
  });

  it("is out for the newest time that was said", async () => {
    const { clock, first, holds } = setUp();
    holds.hold(first, 60_000);
    holds.hold(first, 1_000);
    await clock.advance(1_000);
    expect(stateOf(first)).toBe("available");
  });

  it("may be one of any number: no limit of ejection holds an operator back", () => {
    const { upstreams, holds } = setUp();
    for (const upstream of upstreams) holds.hold(upstream, 1_000);
    expect(upstreams.map(stateOf)).toEqual(["ejected", "ejected", "ejected"]);
  });

  it("stays out while its health checks fail, whatever the operator says, and the other way round", () => {
    const { first, breakers, holds, clock } = setUp();
    holds.hold(first, 60_000);
    breakers.hold(first);
    expect(breakers.standing(first)).toMatchObject({ rule: "health check", untilMs: undefined });
    breakers.release(first);
    expect(stateOf(first)).toBe("ejected");
    expect(breakers.standing(first)).toMatchObject({ rule: "operator", untilMs: clock.wallNow() + 60_000 });
    breakers.hold(first);
    holds.release(first);
    expect(stateOf(first)).toBe("unhealthy");
    expect(breakers.standing(first)).toMatchObject({ rule: "health check" });
    breakers.release(first);
    expect(stateOf(first)).toBe("available");
  });

  it("may also be put back when a rule has taken it out", () => {
    const { first, breakers, holds } = setUp();
    for (let failure = 0; failure < 5; failure++) fail(breakers, first);
    expect(breakers.standing(first)).toMatchObject({ rule: "consecutive failures" });
    holds.release(first);
    expect(stateOf(first)).toBe("available");
    fail(breakers, first);
    expect(stateOf(first)).toBe("available");
  });

  it("is told of no more once it has gone", async () => {
    const { clock, first, breakers, holds } = setUp();
    holds.hold(first, 1_000);
    holds.forget(first);
    breakers.forget(first);
    await clock.advance(2_000);
    holds.release(first);
    expect(breakers.state(first)).toBe("available");
  });
});
