import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Balancer, type BalancerOptions } from "../../../src/balancer/balancer.ts";
import type { Picker } from "../../../src/balancer/picker.ts";
import { leastRequest } from "../../../src/balancer/pickers/least-request.ts";
import { random as randomPicker } from "../../../src/balancer/pickers/random.ts";
import { ringHash } from "../../../src/balancer/pickers/ring-hash.ts";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import { weighted } from "../../../src/balancer/pickers/weighted.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { InstanceState, Upstream } from "../../../src/core/upstream.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const endpoint = (id: string, more: Partial<Endpoint> = {}): Endpoint => ({ id, host: "h.test", port: 80, ...more });
/** `a3`: three instances a1, a2, a3 in the zone a. */
const zones = (...groups: string[]) =>
  groups.flatMap((group) =>
    Array.from({ length: Number(group.slice(1)) }, (_, index) => endpoint(`${group[0]}${index + 1}`, { zone: group[0] as string })),
  );

function balancerOf(endpoints: readonly Endpoint[], { picker = roundRobin(), ...options }: Partial<BalancerOptions> = {}) {
  const updates: string[] = [];
  const random = seededRandom(1);
  const telling: Picker = {
    ...picker,
    update: (upstreams) => {
      updates.push(idsOf(upstreams));
      picker.update?.(upstreams);
    },
  };
  const balancer = new Balancer({ service: "orders", picker: telling, random, ...options });
  balancer.update(endpoints);
  const upstream = (id: string) => balancer.upstreams.find((each) => each.id === id) as Upstream;
  const set = (state: InstanceState, ...ids: string[]) => {
    for (const id of ids) upstream(id).setState(state);
  };
  const pick = (tried: readonly Upstream[] = []) => balancer.pick(testRequest({ tried: [...tried] }), true) as Upstream;
  const shares = () => balancer.lists.map(({ upstreams, share }) => `${idsOf(upstreams)} ${Math.round(1000 * share) / 10}`);
  return { balancer, updates, upstream, set, pick, shares };
}

function idsOf(upstreams: readonly Upstream[]): string {
  return upstreams.map(({ id }) => id).join();
}

/** The number of `calls` picks that each list got, by the first letter of the id. */
function countsOf(pick: () => Upstream, calls: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let call = 0; call < calls; call++) {
    const [letter = ""] = pick().id;
    counts[letter] = (counts[letter] ?? 0) + 1;
  }
  return counts;
}

describe("lists", () => {
  it("are a single list without priorities and zones, and no random number is drawn for it", () => {
    const random = () => {
      throw new Error("drawn");
    };
    const { balancer, pick } = balancerOf([endpoint("a"), endpoint("b")], { random });
    expect(balancer.lists).toHaveLength(1);
    expect(pick()).toBeDefined();
  });

  it("follow the rules of priorities", () => {
    const all = [..."abcd"].map((id) => endpoint(id)).concat([..."efgh"].map((id) => endpoint(id, { priority: 1 })));
    const { shares, set } = balancerOf(all);
    expect(shares()).toEqual(["a,b,c,d 100", "e,f,g,h 0"]);
    set("ejected", "a");
    expect(shares(), "75 % × 1.4").toEqual(["b,c,d 100", "e,f,g,h 0"]);
    set("ejected", "b");
    expect(shares()).toEqual(["c,d 70", "e,f,g,h 30"]);
    set("ejected", "c", "e", "f", "g");
    expect(shares(), "both in panic").toEqual(["a,b,c,d 50", "e,f,g,h 50"]);
    set("available", "f", "g");
    expect(shares(), "35 of 140, and enough with it").toEqual(["d 35", "f,g,h 65"]);
    set("ejected", "d", "f", "g", "h");
    expect(shares(), "no instance available").toEqual(["a,b,c,d 100"]);
  });

  it("follow RFC 2782 strictly with an infinite overprovisioning", () => {
    const { shares, set } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c", { priority: 1 })], {
      priorities: { overprovisioning: Number.POSITIVE_INFINITY },
    });
    set("ejected", "a");
    expect(shares()).toEqual(["b 100", "c 0"]);
    set("ejected", "b");
    expect(shares()).toEqual(["c 100"]);
  });

  it("are in panic with a single priority when panicRatio says so", () => {
    const { shares, set } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c")], { priorities: { panicRatio: 0.5 } });
    set("ejected", "a");
    expect(shares()).toEqual(["b,c 100"]);
    set("ejected", "b");
    expect(shares()).toEqual(["a,b,c 100"]);
  });

  it("are one for each zone when the own zone is known, the own one first", () => {
    const { shares, pick } = balancerOf(zones("b4", "a2", "c2"), { zone: "a", zoneAware: { callers: { a: 40, b: 40, c: 20 } } });
    expect(shares()).toEqual(["a1,a2 62.5", "b1,b2,b3,b4 25", "c1,c2 12.5"]);
    const counts = countsOf(pick, 4_000);
    for (const [zone, expected] of Object.entries({ a: 2_500, b: 1_000, c: 500 })) {
      expect(Math.abs((counts[zone] ?? 0) - expected), zone).toBeLessThan(4 * Math.sqrt(expected));
    }
  });

  describe("with endpoints that discovery's last answer leaves out", () => {
    const all = [..."abcdefgh"].map((id) => endpoint(id));
    const doubted = (listed: string, options: Partial<BalancerOptions> = {}, given = all) => {
      const made = balancerOf(given, options);
      made.balancer.update(
        given,
        given.filter(({ id }) => !listed.includes(id)),
      );
      return made;
    };

    it("give those that it lists everything, and the others only as they fail, as a priority of its own behind all others", () => {
      const { shares, set, balancer, upstream } = doubted("ab");
      expect(shares()).toEqual(["a,b 100", "c,d,e,f,g,h 0"]);
      expect([upstream("a").unconfirmed, upstream("c").unconfirmed]).toEqual([false, true]);
      set("ejected", "a");
      expect(shares()).toEqual(["b 70", "c,d,e,f,g,h 30"]);
      set("ejected", "b");
      expect(shares()).toEqual(["c,d,e,f,g,h 100"]);
      set("available", "a", "b");
      balancer.update(all);
      expect(shares()).toEqual(["a,b,c,d,e,f,g,h 100"]);
    });

    it("keep all together where the answer lists none", () => {
      expect(doubted("").shares()).toEqual(["a,b,c,d,e,f,g,h 100"]);
    });

    it("come behind the last priority that is listed, with priorities of their own", () => {
      const given = [endpoint("a"), endpoint("b", { priority: 7 }), endpoint("c"), endpoint("d", { priority: 7 })];
      const { shares, set } = doubted("ab", {}, given);
      expect(shares()).toEqual(["a 100", "b 0", "c 0", "d 0"]);
      set("ejected", "a", "b");
      expect(shares()).toEqual(["c 100", "d 0"]);
    });

    it("take no places of a subset", () => {
      const { balancer } = doubted("ab", { subset: { size: 2, seed: 1 } });
      expect(idsOf(balancer.candidates).split(",").sort()).toEqual(["a", "b"]);
    });

    it("are called by a retry that has tried all others, and are not probed while another is available", () => {
      const { pick, set, upstream } = doubted("ab");
      set("probing", "c");
      for (let call = 0; call < 200; call++) expect("ab").toContain(pick().id);
      expect("cdefgh").toContain(pick([upstream("a"), upstream("b")]).id);
      set("ejected", "a", "b");
      expect(pick().id).toBe("c");
    });

    it("say so", () => {
      const { balancer, set, upstream } = doubted("ab");
      const reasonOf = (id: string) => balancer.candidacyOf(upstream(id)).reason;
      expect([reasonOf("a"), reasonOf("c")]).toEqual([
        "in rotation",
        "last resort: discovery lists it no longer, and those that it lists take all requests",
      ]);
      set("ejected", "a");
      expect(reasonOf("c")).toBe("last resort, since discovery lists it no longer: takes 30 % of the requests");
    });
  });

  it("are not divided by zone without a zone, without the option, below six instances and in panic", () => {
    const together = ["a1,a2,a3,b1,b2,b3 100"];
    expect(balancerOf(zones("a3", "b3")).shares()).toEqual(together);
    expect(balancerOf(zones("a3", "b3"), { zone: "a", zoneAware: false }).shares()).toEqual(together);
    expect(balancerOf(zones("a3", "b2"), { zone: "a" }).shares()).toEqual(["a1,a2,a3,b1,b2 100"]);
    expect(balancerOf(zones("a3", "b2"), { zone: "a", zoneAware: { minEndpoints: 5 } }).shares()).toEqual(["a1,a2,a3 100", "b1,b2 0"]);
    expect(balancerOf(zones("a6"), { zone: "a" }).shares()).toEqual(["a1,a2,a3,a4,a5,a6 100"]);
    const { shares, set } = balancerOf(zones("a4", "b4"), { zone: "a" });
    set("ejected", "a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4");
    expect(shares()).toEqual(["a1,a2,a3,a4,b1,b2,b3,b4 100"]);
  });

  it("weigh zones by the weights of their instances, or by their number when all weights are 0", () => {
    const heavy = zones("a3", "b3").map((each) => ({ ...each, weight: each.zone === "a" ? 1 : 3 }));
    expect(balancerOf(heavy, { zone: "a" }).shares()).toEqual(["a1,a2,a3 50", "b1,b2,b3 50"]);
    const none = zones("a3", "b3").map((each) => ({ ...each, weight: 0 }));
    expect(balancerOf(none, { zone: "a" }).shares()).toEqual(["a1,a2,a3 100", "b1,b2,b3 0"]);
  });

  it("follow the callers as they become known", () => {
    const { balancer, shares } = balancerOf(zones("a2", "b4", "c2"), { zone: "a" });
    expect(shares()).toEqual(["a1,a2 75", "b1,b2,b3,b4 25", "c1,c2 0"]);
    balancer.updateCallers(
      new Map([
        ["a", 4],
        ["b", 4],
        ["c", 2],
      ]),
    );
    expect(shares()).toEqual(["a1,a2 62.5", "b1,b2,b3,b4 25", "c1,c2 12.5"]);
    balancer.updateCallers(undefined);
    expect(shares()).toEqual(["a1,a2 75", "b1,b2,b3,b4 25", "c1,c2 0"]);
  });

  it("begin with the own zone, so that keys stay in it while its share changes", () => {
    const { shares } = balancerOf(zones("d2", "a2", "c1", "b2"), { zone: "c" });
    expect(shares().map((each) => each[0])).toEqual(["c", "a", "b", "d"]);
  });

  it("keep zones with similar names apart", () => {
    const odd = ["undefined", "", '"x"', "x", "__proto__", "part 1"].map((zone, index) => endpoint(`${index}`, { zone }));
    const { balancer } = balancerOf([...odd, endpoint("none")], { zone: "x" });
    expect(balancer.lists.map(({ zone }) => zone?.name)).toHaveLength(6);
    expect(new Set(balancer.lists.map(({ key }) => key)).size).toBe(6);
  });

  it("keep their arrays, and pickers what they have built, when something changes elsewhere", () => {
    const all = zones("a4", "b4", "c4");
    const { balancer, set, updates, pick } = balancerOf(all, { zone: "a", zoneAware: { callers: { a: 3, b: 1, c: 1 } } });
    pick();
    const [a, b, c] = balancer.lists.map(({ upstreams }) => upstreams);
    expect(updates.splice(0)).toEqual(["a1,a2,a3,a4", "b1,b2,b3,b4", "c1,c2,c3,c4"]);
    set("ejected", "b1");
    pick();
    expect([balancer.lists[0]?.upstreams === a, balancer.lists[1]?.upstreams === b, balancer.lists[2]?.upstreams === c]).toEqual([
      true,
      false,
      true,
    ]);
    expect(updates.splice(0)).toEqual(["b2,b3,b4"]);
    balancer.update(all.map((each) => (each.id === "c2" ? { ...each, weight: 2 } : each)));
    pick();
    expect(updates.splice(0)).toEqual(["c1,c2,c3,c4"]);
    balancer.update(all.map((each) => (each.id === "c2" ? { ...each, weight: 2 } : each)).toReversed());
    set("available", "b1");
    pick();
    expect(updates.splice(0), "another order is no change").toEqual(["b4,b3,b2,b1"]);
  });

  it("announce no list for retries only to the picker", () => {
    const { updates, pick, set } = balancerOf([endpoint("a"), endpoint("b", { priority: 1 })]);
    pick();
    expect(updates).toEqual(["a"]);
    set("ejected", "a");
    pick();
    expect(updates).toEqual(["a", "b"]);
  });
});

describe("picks from several lists", () => {
  it.each<[string, () => Picker]>([
    ["roundRobin", () => roundRobin({ random: seededRandom(2) })],
    ["random", () => randomPicker({ random: seededRandom(2) })],
    ["weighted", () => weighted()],
    ["leastRequest", () => leastRequest({ random: seededRandom(2) })],
  ])("keep the shares with %s", (_name, create) => {
    const { pick, set } = balancerOf([..."abcd"].map((id) => endpoint(id)).concat([..."wxyz"].map((id) => endpoint(id, { priority: 1 }))), {
      picker: create(),
    });
    set("ejected", "a", "b");
    const counts = countsOf(pick, 4_000);
    for (const [id, expected] of Object.entries({ c: 1_400, d: 1_400, w: 300, x: 300, y: 300, z: 300 })) {
      expect(Math.abs((counts[id] ?? 0) - expected), id).toBeLessThan(4 * Math.sqrt(expected) + 0.05 * expected);
    }
  });

  it("use the picker's chanceOf in place of a random number, whatever it returns", () => {
    let chance: number | undefined;
    const picker: Picker = { pick: (upstreams) => upstreams[0], chanceOf: () => chance };
    const { pick, set } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c", { priority: 1 })], { picker, random: () => 0 });
    set("ejected", "a");
    const ids: string[] = [];
    for (chance of [0, 0.69, 0.71, 0.999, 1, 7, -1, Number.NaN, undefined]) ids.push(pick().id);
    expect(ids).toEqual(["b", "b", "c", "c", "c", "c", "b", "c", "b"]);
  });

  it("send a key to the same instance, also when something changes in another zone", () => {
    const callers = { a: 40, b: 40, c: 20 };
    const { balancer, set } = balancerOf(zones("a3", "b6", "c3"), { picker: ringHash(), zone: "a", zoneAware: { callers } });
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    const places = () => keys.map((hashKey) => balancer.pick(testRequest({ options: { hashKey } }), true)?.id as string);
    const before = places();
    expect(places()).toEqual(before);
    set("ejected", "b1");
    const after = places();
    const moved = before.filter((id, index) => id.startsWith("a") && after[index] !== id);
    expect(moved, "the own zone is a bigger part of what is left").toEqual([]);
    const lost = before.filter((id, index) => id.startsWith("b") && id !== "b1" && after[index]?.startsWith("b") && after[index] !== id);
    expect(lost).toEqual([]);
    expect(after).not.toContain("b1");
  });

  it("have shares that add up to 1, none is empty, and no instance is in two of them", () => {
    const instance = fc.record({
      priority: fc.nat(2),
      zone: fc.constantFrom("a", "b", "c", ""),
      weight: fc.nat(2),
      state: fc.constantFrom<InstanceState>("available", "available", "ejected", "probing"),
    });
    const options = fc.record({
      zone: fc.constantFrom("a", "d", undefined),
      subset: fc.constantFrom(false as const, { size: 3 }, { size: 3, client: { index: 1, count: 4 } }),
      zoneAware: fc.constantFrom(undefined, { minEndpoints: 2 }, { minEndpoints: 1, callers: { a: 3, b: 1, d: 1 } }),
    });
    fc.assert(
      fc.property(fc.array(instance, { minLength: 1, maxLength: 20 }), options, fc.nat(), (instances, choice, seed) => {
        const balancer = new Balancer({ service: "orders", picker: roundRobin(), random: seededRandom(seed), ...choice });
        balancer.update(instances.map(({ state: _, ...rest }, index) => endpoint(`${index}`, rest)));
        for (const [index, upstream] of balancer.upstreams.entries()) upstream.setState(instances[index]?.state as InstanceState);
        const { lists } = balancer;
        expect(lists.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
        const members = lists.flatMap(({ upstreams }) => upstreams);
        expect(new Set(members).size).toBe(members.length);
        for (const { share, upstreams, panic } of lists) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(upstreams.length).toBeGreaterThan(0);
          if (panic === "no") expect(upstreams.every(({ state }) => state === "available")).toBe(true);
        }
        expect(balancer.candidates).toEqual(lists.filter(({ share }) => share > 0).flatMap(({ upstreams }) => upstreams));
        for (let call = 0; call < 5; call++) expect(balancer.candidates).toContain(balancer.pick(testRequest(), false));
        for (const upstream of balancer.upstreams) {
          const candidacy = balancer.candidacyOf(upstream);
          expect([candidacy.candidate, candidacy.share !== undefined]).toEqual(Array(2).fill(balancer.candidates.includes(upstream)));
          expect(candidacy.reason).not.toBe("");
        }
      }),
    );
  });
});

describe("a retry", () => {
  it("goes to another zone or priority before the same instance again", () => {
    const { pick, upstream, balancer } = balancerOf([endpoint("a"), endpoint("b", { priority: 1 }), endpoint("c", { priority: 2 })]);
    expect(balancer.candidates).toEqual([upstream("a")]);
    expect(pick([upstream("a")])).toBe(upstream("b"));
    expect(pick([upstream("a"), upstream("b")])).toBe(upstream("c"));
    expect(pick([upstream("a"), upstream("b"), upstream("c")])).toBe(upstream("a"));
    const zoned = balancerOf(zones("a1", "b5"), { zone: "a", zoneAware: { callers: { a: 1, b: 9 } } });
    expect(zoned.pick()).toBe(zoned.upstream("a1"));
    expect(zoned.pick([zoned.upstream("a1")]).endpoint.zone).toBe("b");
  });

  it("goes to any list with a share before one without", () => {
    const { pick, set, upstream } = balancerOf(
      [endpoint("a"), endpoint("b"), endpoint("c", { priority: 1 }), endpoint("d", { priority: 2 })],
      {},
    );
    set("ejected", "b");
    for (let call = 0; call < 20; call++) expect(pick([upstream("a")])).toBe(upstream("c"));
    expect(pick([upstream("a"), upstream("c")])).toBe(upstream("d"));
  });

  it("does not filter a long list while picks find an untried instance", () => {
    const seen = new Set<readonly Upstream[]>();
    const inner = roundRobin();
    const picker: Picker = {
      pick(upstreams, request) {
        seen.add(upstreams);
        return inner.pick(upstreams, request);
      },
    };
    const { balancer, pick } = balancerOf(
      Array.from({ length: 100 }, (_, index) => endpoint(`${index}`)),
      { picker },
    );
    for (let call = 0; call < 300; call++) {
      const first = pick();
      expect(pick([first])).not.toBe(first);
    }
    expect([...seen]).toEqual([balancer.candidates]);
  });

  it("finds an untried instance in a long list with a picker that always picks the same one", () => {
    const picker: Picker = { pick: (upstreams) => upstreams[0] };
    const { pick } = balancerOf(
      Array.from({ length: 100 }, (_, index) => endpoint(`${index}`)),
      { picker },
    );
    const tried: Upstream[] = [];
    for (let attempt = 0; attempt < 5; attempt++) tried.push(pick(tried));
    expect(idsOf(tried)).toBe("0,1,2,3,4");
  });
});

describe("candidacyOf", () => {
  it("says why an instance is or is not a candidate", () => {
    const all = [
      endpoint("a"),
      endpoint("b"),
      endpoint("w", { weight: 0 }),
      endpoint("c", { priority: 1 }),
      endpoint("d", { priority: 2 }),
    ];
    const { balancer, upstream, set } = balancerOf(all);
    const reasons = () => Object.fromEntries(balancer.upstreams.map((each) => [each.id, balancer.candidacyOf(each).reason]));
    expect(reasons()).toEqual({
      a: "in rotation",
      b: "in rotation",
      w: "weight 0: picked only when nothing else is left",
      c: "priority 1: instances of a lower number take all requests",
      d: "priority 2: instances of a lower number take all requests",
    });
    set("ejected", "a", "w");
    set("probing", "b");
    set("ejected", "c");
    expect(reasons()).toEqual({
      a: "out of rotation",
      b: "waits for a probe",
      w: "out of rotation",
      c: "out of rotation",
      d: "in rotation",
    });
    set("ejected", "b", "d");
    expect(reasons()["a"]).toBe("out of rotation, but no instance is better");
    expect(balancer.candidacyOf(upstream("a"))).toMatchObject({ candidate: true, share: 1 });
    expect(reasons()["d"]).toBe("out of rotation");
  });

  it("names the shares of priorities, zones and panic", () => {
    const { balancer, upstream, set } = balancerOf(
      [..."abcd"].map((id) => endpoint(id)).concat(endpoint("e", { priority: 1 }), endpoint("f", { priority: 1 })),
    );
    set("ejected", "a", "b");
    expect(balancer.candidacyOf(upstream("c"))).toEqual({
      candidate: true,
      reason: "in rotation: priority 0 takes 70 % of the requests",
      share: 0.7,
    });
    set("ejected", "c", "e");
    expect(balancer.candidacyOf(upstream("d")).reason).toBe("in rotation: priority 0 takes 35 % of the requests");
    set("ejected", "f");
    expect(balancer.candidacyOf(upstream("d")).reason, "4 of 6 instances").toBe(
      "in rotation: priority 0 is in panic and takes 66.7 % of the requests",
    );
    expect(balancer.candidacyOf(upstream("e")).reason).toBe("out of rotation, but priority 1 is in panic and takes 33.3 % of the requests");
    const zoned = balancerOf(zones("a2", "b4", "c2"), { zone: "a" });
    const reasonOf = (id: string) => zoned.balancer.candidacyOf(zoned.upstream(id)).reason;
    expect(reasonOf("a1")).toBe('in rotation: zone "a" takes 75 % of the requests');
    expect(reasonOf("c1")).toBe('zone "c": retries only, the others take all requests');
  });
});
