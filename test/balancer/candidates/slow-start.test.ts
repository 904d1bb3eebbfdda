import { describe, expect, it } from "vitest";
import { Balancer, type BalancerOptions } from "../../../src/balancer/balancer.ts";
import { SlowStart, type SlowStartOptions, slowStartRatio } from "../../../src/balancer/candidates/slow-start.ts";
import type { Picker } from "../../../src/balancer/picker.ts";
import { adaptive } from "../../../src/balancer/pickers/adaptive.ts";
import { leastRequest } from "../../../src/balancer/pickers/least-request.ts";
import { random as randomPicker } from "../../../src/balancer/pickers/random.ts";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import { weighted } from "../../../src/balancer/pickers/weighted.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

const endpoint = (id: string, more: Partial<Endpoint> = {}): Endpoint => ({ id, host: "h.test", port: 80, ...more });
const old = (count: number, more: Partial<Endpoint> = {}) => Array.from({ length: count }, (_, index) => endpoint(`old${index}`, more));

function balancerOf(picker: Picker = roundRobin(), options: Partial<BalancerOptions> & { slowStart?: SlowStartOptions } = {}) {
  const clock = virtualClock();
  const balancer = new Balancer({ service: "orders", picker, clock, random: seededRandom(3), slowStart: {}, ...options });
  const upstream = (id: string) => balancer.upstreams.find((each) => each.id === id) as Upstream;
  /** The number of the given requests that an upstream gets; each request ends when ten others have begun. */
  const countsOf = (calls: number) => {
    const counts = new Map<string, number>();
    const inFlight: Upstream[] = [];
    for (let call = 0; call < calls; call++) {
      const picked = balancer.pick(testRequest(), true) as Upstream;
      counts.set(picked.id, (counts.get(picked.id) ?? 0) + 1);
      statisticsOf(picked).inFlight++;
      inFlight.push(picked);
      if (inFlight.length > 10) statisticsOf(inFlight.shift() as Upstream).inFlight--;
    }
    for (const each of inFlight) statisticsOf(each).inFlight--;
    return counts;
  };
  return { clock, balancer, upstream, countsOf };
}

describe("slowStartRatio", () => {
  it.each([
    [0, 0.1],
    [1, 0.1],
    [6, 0.1],
    [30, 0.5],
    [59, 0.983],
    [60, 1],
    [3_600, 1],
  ])("is Envoy's curve: after %d of 60 s %d", (seconds, ratio) => {
    expect(slowStartRatio(seconds * 1_000, { windowMs: 60_000 })).toBeCloseTo(ratio, 3);
  });

  it.each([
    [30, 2, Math.SQRT1_2],
    [15, 2, 0.5],
    [30, 0.5, 0.25],
    [1, 2, 0.1291],
    [0, 2, 0.1291],
  ])("follows the aggression: after %d of 60 s at %d it is %d", (seconds, aggression, ratio) => {
    expect(slowStartRatio(seconds * 1_000, { windowMs: 60_000, aggression })).toBeCloseTo(ratio, 4);
  });

  it("has a window of ten seconds and a least ratio of 0.1 by default", () => {
    expect([slowStartRatio(5_000, {}), slowStartRatio(0, {}), slowStartRatio(0, { minRatio: 0.3 }), slowStartRatio(10_000, {})]).toEqual([
      0.5, 0.1, 0.3, 1,
    ]);
    expect(slowStartRatio(0, { windowMs: 100 }), "a window below a second").toBe(1);
  });
});

describe("SlowStart", () => {
  it("ends each slow start with its own window, also behind one that has begun anew", async () => {
    const clock = virtualClock();
    const slowStart = new SlowStart({}, clock);
    const [one, other] = [testUpstream({ id: "one" }), testUpstream({ id: "other" })];
    slowStart.begin(one);
    await clock.advance(1_000);
    slowStart.begin(other);
    await clock.advance(4_000);
    slowStart.begin(one);
    await clock.advance(5_999);
    expect(slowStart.sweep()).toBe(false);
    await clock.advance(1);
    expect([slowStart.sweep(), slowStart.size, slowStart.has(other), slowStart.ratioOf(one)]).toEqual([true, 1, false, 0.6]);
    slowStart.forget(one);
    expect([slowStart.size, slowStart.sweep()]).toEqual([0, false]);
  });
});

describe("an instance in slow start", () => {
  const newcomerFirst: Picker = { pick: (upstreams) => upstreams.find(({ id }) => id === "new") ?? upstreams[0] };

  it.each<[string, () => Picker]>([
    ["roundRobin", () => roundRobin({ random: seededRandom(5) })],
    ["random", () => randomPicker({ random: seededRandom(5) })],
    ["weighted", () => weighted()],
    ["leastRequest", () => leastRequest({ random: seededRandom(5) })],
    ["leastRequest of all", () => leastRequest({ choices: "all", random: seededRandom(5) })],
    ["one that always wants the newest", () => newcomerFirst],
  ])("gets its ratio of a fair share with %s", async (_name, create) => {
    const { clock, balancer, countsOf } = balancerOf(create());
    balancer.update(old(9));
    balancer.update([...old(9), endpoint("new")]);
    for (const [ageMs, ratio] of [
      [0, 0.1],
      [3_000, 0.3],
      [8_000, 0.8],
    ] as const) {
      await clock.advance(ageMs - clock.now());
      const share = ratio / (9 + ratio);
      const expected = 10_000 * share;
      const got = countsOf(10_000).get("new") ?? 0;
      expect(Math.abs(got - expected), `${got} of ${expected}`).toBeLessThan(4 * Math.sqrt(expected) + 0.05 * expected);
    }
  });

  it("is not forced on a picker that avoids it", () => {
    const { balancer, countsOf } = balancerOf({ pick: (upstreams) => upstreams.find(({ id }) => id !== "new") });
    balancer.update(old(2));
    balancer.update([...old(2), endpoint("new")]);
    expect(countsOf(1_000).get("new")).toBeUndefined();
  });

  it("leaves the others equal loads with roundRobin", () => {
    const { balancer, countsOf } = balancerOf();
    balancer.update(old(4));
    balancer.update([...old(4), endpoint("new")]);
    const counts = countsOf(10_000);
    counts.delete("new");
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThan(150);
  });

  it("has a share by its weight", () => {
    const { balancer, countsOf } = balancerOf(weighted());
    balancer.update(old(6, { weight: 1 }));
    balancer.update([...old(6, { weight: 1 }), endpoint("new", { weight: 6 })]);
    const expected = (10_000 * 0.6) / 6.6;
    expect(Math.abs((countsOf(10_000).get("new") ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it("shares by weight with others in slow start", () => {
    const { balancer, countsOf } = balancerOf();
    balancer.update(old(1));
    balancer.update([...old(1), ...[..."abcdefghi"].map((id) => endpoint(id))]);
    const expected = (10_000 * 0.1) / 1.9;
    const counts = countsOf(10_000);
    for (const id of "abcdefghi") expect(Math.abs((counts.get(id) ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it("changes nothing when every instance is in slow start", () => {
    const { balancer, countsOf } = balancerOf();
    balancer.update([]);
    balancer.update(old(4));
    expect([...countsOf(4_000).values()]).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  it("gets its full share after the window, without a timer or another list", async () => {
    const { clock, balancer, upstream, countsOf } = balancerOf();
    balancer.update(old(3));
    balancer.update([...old(3), endpoint("new")]);
    expect(balancer.candidacyOf(upstream("new"))).toMatchObject({
      slowStartRatio: 0.1,
      reason: "in rotation, slow start: 10 % of its share",
    });
    await clock.advance(9_999);
    expect(clock.pending).toEqual([]);
    expect(balancer.candidacyOf(upstream("new")).slowStartRatio).toBeCloseTo(0.9999);
    await clock.advance(1);
    expect(balancer.candidacyOf(upstream("new"))).toEqual({ candidate: true, reason: "in rotation", share: 1 });
    expect([...countsOf(4_000).values()]).toEqual([1_000, 1_000, 1_000, 1_000]);
  });

  it("keeps its window when others join, leave or flap", async () => {
    const { clock, balancer, upstream } = balancerOf();
    balancer.update(old(3));
    balancer.update([...old(3), endpoint("new")]);
    await clock.advance(4_000);
    balancer.update([...old(2), endpoint("new", { weight: 2 }), endpoint("newer")]);
    upstream("old0").setState("ejected");
    expect([balancer.candidacyOf(upstream("new")).slowStartRatio, balancer.candidacyOf(upstream("newer")).slowStartRatio]).toEqual([
      0.4, 0.1,
    ]);
    await clock.advance(6_000);
    expect([balancer.candidacyOf(upstream("new")).slowStartRatio, balancer.candidacyOf(upstream("newer")).slowStartRatio]).toEqual([
      undefined,
      0.6,
    ]);
  });

  it("is also one that has recovered, and one that has a new address", async () => {
    const { clock, balancer, upstream } = balancerOf();
    balancer.update(old(3));
    await clock.advance(1_000);
    upstream("old0").setState("ejected");
    await clock.advance(1_000);
    upstream("old0").setState("probing");
    await clock.advance(1_000);
    upstream("old0").setState("available");
    await clock.advance(5_000);
    expect(balancer.candidacyOf(upstream("old0")).slowStartRatio).toBe(0.5);
    upstream("old0").setState("ejected");
    upstream("old0").setState("available");
    expect(balancer.candidacyOf(upstream("old0")).slowStartRatio, "begins anew").toBe(0.1);
    balancer.update([endpoint("old0"), endpoint("old1", { port: 81 }), endpoint("old2")]);
    expect([balancer.candidacyOf(upstream("old1")).slowStartRatio, balancer.candidacyOf(upstream("old2")).slowStartRatio]).toEqual([
      0.1,
      undefined,
    ]);
  });

  it("is not one of the first set that discovery delivers", () => {
    const { balancer } = balancerOf();
    balancer.update(old(3));
    for (const upstream of balancer.upstreams) expect(balancer.candidacyOf(upstream).slowStartRatio).toBeUndefined();
  });

  it("gets all requests of its keys", () => {
    const picker: Picker = { pick: (upstreams) => upstreams.at(-1), chanceOf: () => 0.5 };
    const { balancer, countsOf } = balancerOf(picker);
    balancer.update(old(3));
    balancer.update([...old(3), endpoint("new")]);
    expect(countsOf(100).get("new")).toBe(100);
  });

  it("gets every request when it is alone", () => {
    const { balancer, upstream, countsOf } = balancerOf();
    balancer.update(old(1));
    balancer.update([...old(1), endpoint("new")]);
    upstream("old0").setState("ejected");
    expect(countsOf(10).get("new")).toBe(10);
  });

  it("gets its ratio of its zone's share", () => {
    const zoned = (zone: string, count: number) => old(count, { zone }).map((each) => ({ ...each, id: `${zone}${each.id}` }));
    const { balancer, countsOf } = balancerOf(roundRobin(), { zone: "a", zoneAware: { callers: { a: 40, b: 40, c: 20 } } });
    const before = [...zoned("a", 4), ...zoned("b", 10), ...zoned("c", 5)];
    balancer.update(before);
    balancer.update([...before, endpoint("new", { zone: "a" })]);
    const expected = (10_000 * 0.625 * 0.1) / 4.1;
    expect(Math.abs((countsOf(10_000).get("new") ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected));
  });

  it("leads to one announcement of the list of the settled instances", () => {
    const updates: string[] = [];
    const { balancer, countsOf } = balancerOf({
      ...roundRobin(),
      update: (upstreams) => updates.push(upstreams.map(({ id }) => id).join()),
    });
    balancer.update(old(2));
    countsOf(10);
    balancer.update([...old(2), endpoint("new")]);
    countsOf(10);
    balancer.update([...old(2), endpoint("new"), endpoint("newer")]);
    countsOf(10);
    expect(updates).toEqual(["old0,old1", "old0,old1,new", "old0,old1", "old0,old1,new,newer"]);
  });

  it("works with adaptive, which has learnt nothing of a new instance", () => {
    const { balancer, countsOf } = balancerOf(adaptive({ random: seededRandom(5) }));
    balancer.update(old(9));
    balancer.update([...old(9), endpoint("new")]);
    expect(countsOf(5_000).get("new") ?? 0).toBeLessThan((2 * 5_000 * 0.1) / 9.1);
  });
});
