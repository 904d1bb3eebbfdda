import { describe, expect, it, vi } from "vitest";
import { Balancer } from "../../src/balancer/balancer.ts";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { testRequest } from "../../src/testing/request.ts";
import { clock, inVirtualTime } from "../support/virtual-time.ts";
import { begun } from "./attempts.ts";
import { refused, service, timeout, under } from "./rigs.ts";
import { onState, stateOf } from "./states.ts";

inVirtualTime();

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

describe("an instance that is held", () => {
  it("is out until it is released: no pause ends, no request is a probe, no success in panic brings it back", async () => {
    const { rotation, upstreams, calls, out, states } = service(3);
    const [first] = upstreams as [Upstream];
    rotation.hold(first);
    rotation.hold(first);
    expect(rotation.standing(first)).toMatchObject({
      state: "unhealthy",
      rule: "health check",
      sinceMs: clock.wallNow(),
      untilMs: undefined,
    });
    await clock.advance(1_000_000);
    await calls(200, 3, 0);
    await calls(refused, 3, 0);
    expect([out(), states]).toEqual([["i0"], ["i0 unhealthy"]]);
    rotation.release(first);
    rotation.release(first);
    expect([out(), states, rotation.standing(first).ejections]).toEqual([[], ["i0 unhealthy", "i0 available"], 1]);
    await clock.advance(20_000);
    expect(clock.pending, "its circuit is dropped when all is quiet").toEqual([]);
  });

  it("was open, half-open or probing before: it is held from then on", async () => {
    const { rotation, upstreams, calls, states } = service(3);
    const [open, halfOpen, probing] = upstreams as [Upstream, Upstream, Upstream];
    await calls(refused, 1, 1);
    await calls(refused, 1, 2);
    await clock.advance(1_000);
    const settle = begun(rotation, probing);
    await calls(refused, 1, 0);
    for (const upstream of [open, halfOpen, probing]) rotation.hold(upstream);
    settle("success", false);
    await clock.advance(100_000);
    expect([open, halfOpen, probing].map((upstream) => [rotation.standing(upstream).rule, stateOf(upstream)])).toEqual(
      Array(3).fill(["health check", "unhealthy"]),
    );
    for (const upstream of [open, halfOpen, probing]) rotation.release(upstream);
    expect([open, halfOpen, probing].map(stateOf)).toEqual(["available", "available", "available"]);
    expect(states.filter((state) => state.endsWith("available"))).toHaveLength(3);
  });

  it("is told of with its former state and the rule, also where one way of being out follows another", () => {
    const told: string[] = [];
    const events = onState(({ upstream, state, former, rule }) => told.push(`${upstream.id} from ${former} to ${state}: ${rule}`));
    const { rotation, upstreams } = service(3, { events });
    const [first] = upstreams as [Upstream];
    rotation.hold(first, "operator", clock.wallNow() + 60_000);
    rotation.hold(first);
    rotation.hold(first);
    expect(stateOf(first)).toBe("unhealthy");
    rotation.release(first);
    expect(stateOf(first)).toBe("ejected");
    rotation.release(first, "operator");
    expect(told).toEqual([
      "i0 from available to ejected: operator",
      "i0 from ejected to unhealthy: health check",
      "i0 from unhealthy to ejected: operator",
      "i0 from ejected to available: undefined",
    ]);
  });

  it("is released from that alone: what is out for its failures stays out", async () => {
    const { rotation, upstreams, calls, out } = service(3);
    await calls(timeout, 5, 0);
    rotation.release(upstreams[0] as Upstream);
    expect(out()).toEqual(["i0"]);
  });

  it("is not held when it has left, or all is over", () => {
    const { rotation, upstreams, out } = service(2);
    const [gone, other] = upstreams as [Upstream, Upstream];
    gone.markRemoved();
    rotation.hold(gone);
    rotation.dispose();
    rotation.hold(other);
    expect(out()).toEqual([]);
  });

  it("leaves the share that may be out to the others", async () => {
    const { rotation, upstreams, calls, out } = service(4);
    rotation.hold(upstreams[0] as Upstream);
    rotation.hold(upstreams[1] as Upstream);
    await calls(timeout, 5, 2);
    await calls(timeout, 50, 3);
    expect(out()).toEqual(["i0", "i1", "i2"]);
  });
});

it("ten thousand instances that answer cost no circuit, no timer and no count", async () => {
  const { calls, rotation, upstreams } = service(10_000);
  for (let index = 0; index < 10_000; index++) await calls(200, 1, index);
  expect([clock.pending, vi.getTimerCount()]).toEqual([[], 0]);
  expect(rotation.standing(upstreams[9_999] as Upstream).state).toBe("available");
});
