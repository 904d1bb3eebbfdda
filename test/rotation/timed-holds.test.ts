import { describe, expect, it } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import { Upstream } from "../../src/core/upstream.ts";
import { Rotation } from "../../src/rotation/rotation.ts";
import { TimedHolds } from "../../src/rotation/timed-holds.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { onState, stateOf } from "./states.ts";

function fail(rotation: Rotation, upstream: Upstream): void {
  rotation.passiveHealth.failed(upstream, rotation.passiveHealth.admit(upstream), new MeshError("ERR_MESH_PROTOCOL", "reset"), "failure");
}

function setUp() {
  const clock = virtualClock();
  const upstreams = ["a", "b", "c"].map((id) => new Upstream("orders", { id, host: id, port: 1 }));
  const ejections: string[] = [];
  const rotation = new Rotation({
    clock,
    random: () => 0.5,
    events: onState(({ upstream, former, rule }) => {
      if (former === "available") ejections.push(`${upstream.id}: ${rule}`);
    }),
    upstreams: () => upstreams,
  });
  const [first] = upstreams as [Upstream, ...Upstream[]];
  return { clock, upstreams, first, rotation, holds: new TimedHolds("operator", rotation, clock), ejections };
}

describe("an instance that an operator takes out", () => {
  it("is out for exactly that long, without a probe, and back by itself", async () => {
    const { clock, first, rotation, holds, ejections } = setUp();
    holds.hold(first, 60_000);
    expect(stateOf(first)).toBe("ejected");
    expect(rotation.standing(first)).toMatchObject({
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
    expect(rotation.standing(first)).toMatchObject({ state: "available", rule: undefined, untilMs: undefined });
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
    const { first, rotation, holds, clock } = setUp();
    holds.hold(first, 60_000);
    rotation.hold(first);
    expect(rotation.standing(first)).toMatchObject({ rule: "health check", untilMs: undefined });
    rotation.release(first);
    expect(stateOf(first)).toBe("ejected");
    expect(rotation.standing(first)).toMatchObject({ rule: "operator", untilMs: clock.wallNow() + 60_000 });
    rotation.hold(first);
    holds.release(first);
    expect(stateOf(first)).toBe("unhealthy");
    expect(rotation.standing(first)).toMatchObject({ rule: "health check" });
    rotation.release(first);
    expect(stateOf(first)).toBe("available");
  });

  it("may also be put back when a rule has taken it out", () => {
    const { first, rotation, holds } = setUp();
    for (let failure = 0; failure < 5; failure++) fail(rotation, first);
    expect(rotation.standing(first)).toMatchObject({ rule: "consecutive failures" });
    holds.release(first);
    expect(stateOf(first)).toBe("available");
    fail(rotation, first);
    expect(stateOf(first)).toBe("available");
  });

  it("is told of no more once it has gone", async () => {
    const { clock, first, rotation, holds } = setUp();
    holds.hold(first, 1_000);
    holds.forget(first);
    rotation.forget(first);
    await clock.advance(2_000);
    holds.release(first);
    expect(rotation.state(first)).toBe("available");
  });
});
