import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Balancer } from "../../../src/balancer/balancer.ts";
import type { SubsetOptions } from "../../../src/balancer/candidates/subset-options.ts";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { InstanceState, Upstream } from "../../../src/core/upstream.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

const endpoint = (id: string, more: Partial<Endpoint> = {}): Endpoint => ({ id, host: "h.test", port: 80, ...more });
const endpoints = (count: number, more: Partial<Endpoint> = {}) => Array.from({ length: count }, (_, index) => endpoint(`i${index}`, more));

function balancerOf(subset: SubsetOptions, all: readonly Endpoint[], seed = 1): Balancer {
  const random = seededRandom(seed);
  const balancer = new Balancer({ service: "orders", picker: roundRobin({ random }), random, subset });
  balancer.update(all);
  return balancer;
}

function set(upstreams: readonly Upstream[], state: InstanceState): void {
  for (const upstream of [...upstreams]) upstream.setState(state);
}

const idsOf = (upstreams: readonly Upstream[]) => new Set(upstreams.map(({ id }) => id));

describe("a random subset", () => {
  it("has `size` instances, the same for the same seed and others for another", () => {
    const one = idsOf(balancerOf({ size: 5, seed: 7 }, endpoints(50)).candidates);
    expect(one.size).toBe(5);
    expect(idsOf(balancerOf({ size: 5, seed: 7 }, endpoints(50).toReversed(), 2).candidates)).toEqual(one);
    expect(idsOf(balancerOf({ size: 5, seed: 8 }, endpoints(50)).candidates)).not.toEqual(one);
    expect(idsOf(balancerOf({ size: 5 }, endpoints(50), 3).candidates)).not.toEqual(
      idsOf(balancerOf({ size: 5 }, endpoints(50), 4).candidates),
    );
  });

  it("has every instance when there are not more", () => {
    expect(balancerOf({ size: 5 }, endpoints(5)).candidates).toHaveLength(5);
    expect(balancerOf({ size: 5 }, endpoints(1)).candidates).toHaveLength(1);
    expect(balancerOf({ size: 5 }, []).pick(testRequest(), true)).toBeUndefined();
  });

  it("changes by one member at most when one instance joins or leaves", () => {
    const steps = fc.array(fc.tuple(fc.nat(30), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 8 }), fc.nat(), (changes, size, seed) => {
        const listed = new Map(endpoints(10).map((each) => [each.id, each]));
        const balancer = balancerOf({ size, seed }, [...listed.values()]);
        let before = idsOf(balancer.candidates);
        for (const [number, isThere] of changes) {
          if (isThere) listed.set(`i${number}`, endpoint(`i${number}`));
          else listed.delete(`i${number}`);
          balancer.update([...listed.values()]);
          const after = idsOf(balancer.candidates);
          expect(after.size).toBe(Math.min(size, listed.size));
          expect([...after].filter((id) => !before.has(id)).length).toBeLessThanOrEqual(1);
          expect([...before].filter((id) => !after.has(id)).length).toBeLessThanOrEqual(1);
          before = after;
        }
      }),
    );
  });

  it("spreads many clients over the instances", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      for (const id of idsOf(balancerOf({ size: 5, seed }, endpoints(20)).candidates)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    // 100 each; four standard deviations of a binomial of 400 × 1/4 are 35.
    expect(Math.min(...counts.values())).toBeGreaterThan(65);
    expect(Math.max(...counts.values())).toBeLessThan(135);
  });

  it("has `size` instances of each priority", () => {
    const all = [...endpoints(20), ...endpoints(20, { priority: 1 }).map((each) => ({ ...each, id: `second ${each.id}` }))];
    const { lists } = balancerOf({ size: 4 }, all);
    expect(lists.map(({ priority, share, upstreams }) => [priority, share, upstreams.length])).toEqual([
      [0, 1, 4],
      [1, 0, 4],
    ]);
  });

  it("has no instance of weight 0 while there are others", () => {
    const all = endpoints(20).map((each, index) => ({ ...each, weight: index < 17 ? 0 : 1 }));
    expect(idsOf(balancerOf({ size: 3 }, all).candidates)).toEqual(new Set(["i17", "i18", "i19"]));
  });

  it("widens when fewer than half of it are available, until `size` are", () => {
    const balancer = balancerOf({ size: 4 }, endpoints(20));
    const before = balancer.candidates;
    set(before.slice(0, 2), "ejected");
    expect(balancer.candidates, "half of it").toEqual(before.slice(2));
    set(before.slice(2, 3), "ejected");
    const wide = balancer.candidates;
    expect([wide.length, wide.includes(before[3] as Upstream)]).toEqual([4, true]);
    set(before, "available");
    expect(idsOf(balancer.candidates), "back to what it was").toEqual(idsOf(before));
    set(balancer.upstreams, "ejected");
    expect(idsOf(balancer.candidates), "no instance is available at all").toEqual(idsOf(before));
  });

  it("explains instances outside, and neither probes nor retries them", () => {
    const balancer = balancerOf({ size: 2 }, endpoints(6));
    const outside = balancer.upstreams.filter((each) => !balancer.candidates.includes(each));
    expect(outside).toHaveLength(4);
    expect(idsOf(balancer.members)).toEqual(idsOf(balancer.candidates));
    for (const upstream of outside) expect(balancer.candidacyOf(upstream)).toEqual({ candidate: false, reason: "outside the subset" });
    for (const upstream of balancer.candidates)
      expect(balancer.candidacyOf(upstream)).toEqual({ candidate: true, reason: "in rotation", share: 1 });
    outside[0]?.setState("probing");
    for (let call = 0; call < 10; call++) expect(outside).not.toContain(balancer.pick(testRequest(), true));
    expect(outside).not.toContain(balancer.pick(testRequest({ tried: [...balancer.candidates] }), true));
  });

  it("follows changes of priorities and weights", () => {
    const balancer = balancerOf({ size: 2, seed: 1 }, endpoints(6));
    const [first] = [...idsOf(balancer.candidates)];
    balancer.update(endpoints(6).map((each) => (each.id === first ? { ...each, weight: 0 } : each)));
    expect(idsOf(balancer.candidates).has(first as string)).toBe(false);
    balancer.update(endpoints(6).map((each) => (each.id === first ? { ...each, priority: 3 } : each)));
    expect(balancer.lists.find(({ priority }) => priority === 3)?.upstreams.map(({ id }) => id)).toEqual([first]);
  });
});

describe("a deterministic aperture", () => {
  const clients = (count: number, size: number, all: readonly Endpoint[]) =>
    Array.from({ length: count }, (_, index) => balancerOf({ size, client: { index, count } }, all, index));

  it("gives each instance equally many clients", () => {
    const counts = new Map<string, number>();
    for (const balancer of clients(30, 6, endpoints(20).toReversed())) {
      for (const id of idsOf(balancer.candidates)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(2);
  });

  it("loads every instance equally over all clients, also with a picker that ignores weights", () => {
    const load = new Map<string, number>();
    for (const { lists } of clients(7, 3, endpoints(10))) {
      expect(lists.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
      for (const { share, upstreams } of lists) {
        for (const { id } of upstreams) load.set(id, (load.get(id) ?? 0) + share / upstreams.length);
      }
    }
    for (const id of idsOf(balancerOf({ size: 10 }, endpoints(10)).candidates)) expect(load.get(id)).toBeCloseTo(0.7);
  });

  it("has no list of its own for a cut instance when it is widened or the instance is not available", () => {
    const [balancer] = clients(7, 3, endpoints(10));
    if (balancer === undefined) throw new Error("no client");
    expect(balancer.lists.map(({ upstreams }) => balancer.candidacyOf(upstreams[0] as Upstream).reason)).toEqual([
      "in rotation: the whole ones in the aperture take 93.3 % of the requests",
      "in rotation: partly in the aperture, takes 6.7 % of the requests",
    ]);
    const cut = balancer.lists[1]?.upstreams as readonly Upstream[];
    set(cut, "ejected");
    expect(balancer.lists.map(({ share }) => share)).toEqual([1]);
    set(balancer.candidates.slice(0, 3), "ejected");
    expect([balancer.lists.length, balancer.candidates.length]).toEqual([1, 3]);
    set(cut, "available");
    expect([balancer.lists.length, balancer.candidates.includes(cut[0] as Upstream)], "with the cut one, which is whole then").toEqual([
      1,
      true,
    ]);
  });
});
