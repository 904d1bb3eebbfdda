import { describe, expect, it } from "vitest";
import { Balancer, type BalancerOptions } from "../../src/balancer/balancer.ts";
import type { Picker } from "../../src/balancer/picker.ts";
import { prequal } from "../../src/balancer/pickers/prequal.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Routed, Subset } from "../../src/core/routed.ts";
import type { InstanceState, Upstream } from "../../src/core/upstream.ts";
import { adaptive, leastRequest, maglev, peakEwma, random, ringHash, roundRobin, weighted } from "../../src/index.ts";
import { seededRandom, testRequest } from "../../src/testing/index.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";

const endpoint = (id: string, version: string, more: Partial<Endpoint> = {}): Endpoint => ({
  id,
  host: `${id}.test`,
  port: 80,
  metadata: { version },
  ...more,
});

function routed(version: string, whenEmpty: Subset["whenEmpty"] = "fail"): Routed {
  const subset: Subset = { name: `version=${version}`, whenEmpty, has: ({ metadata }) => metadata?.["version"] === version };
  return { rule: "canary", target: undefined, subset, options: undefined };
}

function balancerOf(endpoints: readonly Endpoint[], options: Partial<BalancerOptions> = {}) {
  const clock = virtualClock();
  const balancer = new Balancer({ service: "orders", picker: roundRobin(), clock, random: seededRandom(1), ...options });
  balancer.update(endpoints);
  const pick = (route: Routed | undefined, tried: readonly Upstream[] = [], hashKey?: string) =>
    balancer.pick({ ...testRequest(), routed: route, tried: [...tried], options: hashKey === undefined ? {} : { hashKey } }, true);
  const counts = (route: Routed | undefined, picks: number) => {
    const found: Record<string, number> = {};
    for (let index = 0; index < picks; index++) {
      const id = pick(route)?.id ?? "none";
      found[id] = (found[id] ?? 0) + 1;
    }
    return found;
  };
  const set = (state: InstanceState, ...ids: readonly string[]) => {
    for (const id of ids) balancer.upstreams.find((each) => each.id === id)?.setState(state);
  };
  return { balancer, clock, pick, counts, set };
}

const fleet = [endpoint("a", "1"), endpoint("b", "1"), endpoint("c", "2"), endpoint("d", "1"), endpoint("e", "2")];
const v1 = routed("1");
const v2 = routed("2");

describe("a subset", () => {
  it("is picked from alone, and shares its upstreams with the whole service", () => {
    const { balancer, counts, pick } = balancerOf(fleet);
    expect(counts(v2, 20)).toEqual({ c: 10, e: 10 });
    expect(counts(v1, 30)).toEqual({ a: 10, b: 10, d: 10 });
    expect(counts(undefined, 50)).toEqual({ a: 10, b: 10, c: 10, d: 10, e: 10 });
    expect(balancer.upstreams).toContain(pick(v2));
    expect(balancer.candidatesOf({ routed: v2 }).map(({ id }) => id)).toEqual(["c", "e"]);
  });

  it("follows discovery: instances that join and leave, and new metadata", () => {
    const { balancer, counts } = balancerOf(fleet);
    expect(counts(v2, 2)).toEqual({ c: 1, e: 1 });
    balancer.update([...fleet.slice(0, 4), endpoint("a2", "2")]);
    expect(counts(v2, 10)).toEqual({ c: 5, a2: 5 });
    balancer.update([endpoint("a", "2"), ...fleet.slice(1, 3)]);
    expect(counts(v2, 10)).toEqual({ a: 5, c: 5 });
    expect(counts(v1, 3)).toEqual({ b: 3 });
  });

  it("is left by no retry: when all of it have been tried, one of it is tried again", () => {
    const { balancer, pick } = balancerOf(fleet);
    const all = balancer.candidatesOf({ routed: v2 });
    for (let index = 0; index < 20; index++) {
      expect(pick(v2, [all[0] as Upstream])).toBe(all[1]);
      expect(all).toContain(pick(v2, all));
    }
  });

  it("that is out of rotation as a whole is tried as a whole, while the rest of the service is available", () => {
    const { counts, set } = balancerOf(fleet);
    counts(v2, 2);
    set("ejected", "c");
    expect(counts(v2, 4)).toEqual({ e: 4 });
    set("ejected", "e");
    expect(counts(v2, 10)).toEqual({ c: 5, e: 5 });
    expect(Object.keys(counts(undefined, 30)).sort()).toEqual(["a", "b", "d"]);
  });

  it("has priorities, zones and a probe of its own", () => {
    const { counts, set } = balancerOf(
      [endpoint("a", "1"), endpoint("b", "2", { priority: 1 }), endpoint("c", "2", { priority: 2 }), endpoint("d", "2", { priority: 2 })],
      {},
    );
    expect(counts(v2, 5)).toEqual({ b: 5 });
    set("ejected", "b");
    expect(counts(v2, 6)).toEqual({ c: 3, d: 3 });
    set("probing", "b");
    expect(counts(v1, 3)).toEqual({ a: 3 });
    expect(counts(v2, 1)).toEqual({ b: 1 });
  });

  it("keeps calls in the own zone where its own instances are enough", () => {
    const zoned = (id: string, version: string, zone: string) => endpoint(id, version, { zone });
    const { counts } = balancerOf(
      [zoned("a", "1", "x"), zoned("b", "1", "y"), zoned("c", "2", "x"), zoned("d", "2", "y"), zoned("e", "2", "y"), zoned("f", "2", "x")],
      { zone: "x", zoneAware: { minEndpoints: 2 } },
    );
    expect(Object.keys(counts(v2, 40)).sort()).toEqual(["c", "f"]);
  });

  it("has as many instances in use as the option says, of its own, which are members of the service then", async () => {
    let told = 0;
    const many = Array.from({ length: 40 }, (_, index) => endpoint(`n${index}`, index < 4 ? "2" : "1"));
    const { balancer, counts } = balancerOf(many, { subset: { size: 3, seed: 5 }, onMembers: () => told++ });
    const before = new Set(balancer.members.map(({ id }) => id));
    const used = Object.keys(counts(v2, 60));
    expect(used).toHaveLength(3);
    await Promise.resolve();
    expect(told).toBe(1);
    const members = balancer.members.map(({ id }) => id);
    expect(members).toEqual(expect.arrayContaining([...before, ...used]));
  });

  it("gives a starting instance the part of its own picks, however many there are of the service", () => {
    const { balancer, clock, counts } = balancerOf([endpoint("a", "1"), endpoint("c", "2")], { slowStart: { windowMs: 10_000 } });
    counts(undefined, 1);
    balancer.update([endpoint("a", "1"), endpoint("c", "2"), endpoint("e", "2")]);
    const got = { c: 0, e: 0 };
    for (let round = 0; round < 200; round++) {
      clock.advance(1);
      counts(v1, 20);
      const [id] = Object.keys(counts(v2, 1)) as ("c" | "e")[];
      if (id !== undefined) got[id]++;
    }
    expect(got.e).toBeGreaterThan(2);
    expect(got.e).toBeLessThan(40);
  });

  it("without instances has no upstream, or any where its route allows it, until one joins", () => {
    const { balancer, pick, counts } = balancerOf(fleet);
    const any = routed("3", "any");
    expect(pick(routed("3"))).toBeUndefined();
    expect(Object.keys(counts(any, 50))).toHaveLength(5);
    expect(balancer.upstreamsOf({ routed: any })).toHaveLength(5);
    balancer.update([...fleet, endpoint("f", "3")]);
    expect(counts(any, 5)).toEqual({ f: 5 });
    expect(balancer.upstreamsOf({ routed: any }).map(({ id }) => id)).toEqual(["f"]);
  });

  it("is kept by its object, within a bound, until routes have changed", () => {
    const { balancer, counts } = balancerOf(fleet);
    for (let index = 0; index < 300; index++) expect(counts(routed("2"), 2)).toEqual({ c: 1, e: 1 });
    expect(balancer.subsets.length).toBe(256);
    balancer.forgetSubsets();
    expect(balancer.subsets).toEqual([]);
    expect(counts(v2, 2)).toEqual({ c: 1, e: 1 });
    expect(balancer.subsets).toHaveLength(1);
  });
});

const pickers: Readonly<Record<string, () => Picker>> = {
  adaptive,
  leastRequest,
  maglev,
  peakEwma,
  prequal,
  random,
  ringHash,
  roundRobin,
  weighted,
};

describe.each(Object.entries(pickers))("%s", (_name, create) => {
  it("picks from the subset of each call where calls to several and to the whole service take turns, through updates", () => {
    const clock = virtualClock();
    const context = { clock, random: seededRandom(3) };
    const created = create();
    const picker = created.forService?.("orders", context) ?? created;
    const { balancer, pick } = balancerOf(fleet, { picker });
    const versions = { "1": ["a", "b", "d"], "2": ["c", "e", "f"] };
    for (let round = 0; round < 400; round++) {
      clock.advance(5);
      if (round === 150) balancer.update([...fleet.slice(1), endpoint("f", "2")]);
      if (round === 300) balancer.update(fleet);
      const route = [undefined, v1, v2][round % 3];
      const picked = pick(route, [], `key ${round % 7}`);
      expect(picked).toBeDefined();
      if (route === v1) expect(versions["1"]).toContain(picked?.id);
      if (route === v2) expect(versions["2"]).toContain(picked?.id);
    }
  });
});

describe.each([
  ["ringHash", ringHash],
  ["maglev", maglev],
] as const)("%s", (_name, create) => {
  it("keeps a key at its instance in each subset, whatever is picked from others and joins them", () => {
    const picker = create().forService?.("orders") as Picker;
    const { balancer, pick } = balancerOf(fleet, { picker });
    const keys = Array.from({ length: 50 }, (_, index) => `user ${index}`);
    const placed = (route: Routed | undefined) => keys.map((key) => pick(route, [], key)?.id);
    const [whole, one, two] = [placed(undefined), placed(v1), placed(v2)];
    balancer.update([...fleet, endpoint("z", "3")]);
    expect([placed(v1), placed(v2)]).toEqual([one, two]);
    balancer.update(fleet);
    expect([placed(undefined), placed(v1), placed(v2)]).toEqual([whole, one, two]);
  });

  it("gives the retry of a key in a subset to the same second instance, in whichever order its subsets were picked from", () => {
    const orders = [
      [undefined, v1, v2],
      [v2, v1, undefined],
      [v1, undefined, v2],
    ];
    const seconds = orders.map((order) => {
      const { pick } = balancerOf(fleet, { picker: create().forService?.("orders") as Picker });
      for (const route of order) pick(route, [], "warm");
      return Array.from({ length: 20 }, (_, index) => {
        const first = pick(v1, [], `user ${index}`) as Upstream;
        return `${first.id} ${pick(v1, [first], `user ${index}`)?.id}`;
      });
    });
    expect(seconds[1]).toEqual(seconds[0]);
    expect(seconds[2]).toEqual(seconds[0]);
  });
});
