import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Balancer } from "../../src/balancer/balancer.ts";
import type { Picker } from "../../src/balancer/picker.ts";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { type InstanceState, statisticsOf, type Upstream } from "../../src/core/upstream.ts";
import { testRequest } from "../../src/testing/request.ts";

const endpoint = (id: string, more: Partial<Endpoint> = {}): Endpoint => ({ id, host: `${id}.test`, port: 80, ...more });

function balancerOf(endpoints: readonly Endpoint[] = [], picker: Picker = roundRobin()) {
  const changes: string[] = [];
  const removed: string[] = [];
  const updates: string[] = [];
  const balancer = new Balancer({
    service: "orders",
    picker: {
      ...picker,
      update: (upstreams) => {
        updates.push(idsOf(upstreams));
        picker.update?.(upstreams);
      },
    },
    onStateChange: ({ id, state }) => changes.push(`${id} ${state}`),
    onRemoved: ({ id, address }) => removed.push(`${id} ${address}`),
  });
  balancer.update(endpoints);
  const upstream = (id: string) => balancer.upstreams.find((each) => each.id === id) as Upstream;
  const set = (state: InstanceState, ...ids: string[]) => {
    for (const id of ids) upstream(id).setState(state);
  };
  return { balancer, changes, removed, updates, upstream, set, candidates: () => idsOf(balancer.candidates) };
}

function idsOf(upstreams: readonly Upstream[]): string {
  return upstreams.map(({ id }) => id).join();
}

describe("update", () => {
  it("keeps the upstream of an id at the same address, with what was learnt and the newer data", () => {
    const { balancer, upstream, candidates } = balancerOf([endpoint("a", { weight: 1 }), endpoint("b")]);
    const known = upstream("a");
    statisticsOf(known).inFlight = 3;
    known.setState("ejected");
    balancer.update([endpoint("c"), endpoint("a", { weight: 5, zone: "z2" })]);
    expect(upstream("a")).toBe(known);
    expect([known.inFlight, known.state, known.weight, known.endpoint.zone, known.removed]).toEqual([3, "ejected", 5, "z2", false]);
    expect(candidates()).toBe("c");
  });

  it("makes a new upstream where the same id has another host, port or protocol", () => {
    for (const change of [{ host: "other.test" }, { port: 81 }, { secure: true }]) {
      const { balancer, upstream, removed } = balancerOf([endpoint("a")]);
      const before = upstream("a");
      statisticsOf(before).inFlight = 1;
      before.setState("ejected");
      balancer.update([endpoint("a", change)]);
      const after = upstream("a");
      expect(after).not.toBe(before);
      expect([after.inFlight, after.state, before.removed, removed]).toEqual([0, "available", true, ["a a.test:80"]]);
    }
  });

  it("treats an absent `secure` as false", () => {
    const { balancer, upstream } = balancerOf([endpoint("a")]);
    const before = upstream("a");
    balancer.update([endpoint("a", { secure: false })]);
    expect(upstream("a")).toBe(before);
  });

  it("removes an upstream that is gone from the candidates first, then announces it, and ignores its states", () => {
    const picker = roundRobin();
    const { balancer, upstream, removed, changes } = balancerOf([endpoint("a"), endpoint("b")], picker);
    const gone = upstream("a");
    balancer.update([endpoint("b")]);
    expect([removed, gone.removed, idsOf(balancer.candidates)]).toEqual([["a a.test:80"], true, "b"]);
    gone.setState("ejected");
    expect(changes).toEqual([]);
  });

  it("may be empty, and nothing is picked then", () => {
    const { balancer, removed } = balancerOf([endpoint("a")]);
    balancer.update([]);
    expect([balancer.upstreams, balancer.candidates, removed.length]).toEqual([[], [], 1]);
    expect(balancer.pick(testRequest(), true)).toBeUndefined();
  });

  it("uses the first of two entries with the same id", () => {
    const { balancer, removed } = balancerOf([endpoint("a"), endpoint("a", { port: 81 }), endpoint("b")]);
    expect(balancer.upstreams.map(({ address }) => address)).toEqual(["a.test:80", "b.test:80"]);
    balancer.update([endpoint("b")]);
    expect(removed).toEqual(["a a.test:80"]);
  });

  it("does not pick an upstream that is gone, also not from an earlier list", () => {
    const { balancer, upstream, removed } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c", { priority: 1 })]);
    const gone = upstream("a");
    const request = testRequest();
    while (balancer.pick(request, true) !== gone);
    statisticsOf(gone).inFlight++;
    balancer.update([endpoint("b"), endpoint("c", { priority: 1 })]);
    expect([gone.inFlight, gone.removed, removed]).toEqual([1, true, ["a a.test:80"]]);
    for (let call = 0; call < 20; call++)
      expect(balancer.pick(testRequest({ tried: call % 2 ? [upstream("b")] : [] }), true)).not.toBe(gone);
    expect(balancer.candidacyOf(gone)).toEqual({ candidate: false, reason: "not listed by discovery any more" });
  });

  it("treats __proto__ as an id like any other", () => {
    const { balancer } = balancerOf([endpoint("__proto__"), endpoint("constructor")]);
    balancer.update([endpoint("__proto__")]);
    expect(idsOf(balancer.candidates)).toBe("__proto__");
  });

  it("keeps candidates and picker as they are when nothing has changed that a picker sees", () => {
    const one = [endpoint("a", { weight: 2, metadata: { v: "1" } }), endpoint("b")];
    const { balancer, updates } = balancerOf(one);
    const { candidates } = balancer;
    balancer.update(one);
    balancer.update(structuredClone(one));
    balancer.update(one.toReversed());
    expect(balancer.candidates).toBe(candidates);
    balancer.pick(testRequest(), true);
    expect(updates).toEqual(["a,b"]);
  });

  it("tells the picker of every change that it can see", () => {
    const base = { weight: 2, priority: 0, zone: "z", metadata: { v: "1" } };
    for (const change of [
      { weight: 3 },
      { priority: 1 },
      { zone: "y" },
      { metadata: { v: "2" } },
      { metadata: { v: "1", w: "1" } },
      { metadata: { w: "1" } },
    ]) {
      const { balancer, updates } = balancerOf([endpoint("a", base)]);
      balancer.pick(testRequest(), true);
      balancer.update([endpoint("a", { ...base, ...change })]);
      balancer.pick(testRequest(), true);
      balancer.pick(testRequest(), true);
      expect(updates).toHaveLength(2);
    }
    const { balancer, updates } = balancerOf([endpoint("a", base)]);
    const { metadata: _metadata, ...without } = base;
    balancer.pick(testRequest(), true);
    balancer.update([endpoint("a", without)]);
    balancer.pick(testRequest(), true);
    expect(updates).toHaveLength(2);
  });

  it("keeps exactly the ids of the newest set, whatever came before, and the objects of those that stay", () => {
    const ids = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "__proto__"));
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, fc.nat(2)), { maxLength: 20 }), (sets) => {
        const { balancer, removed } = balancerOf();
        const known = new Map<string, Upstream>();
        let gone = 0;
        for (const [set, port] of sets) {
          const endpoints = set.map((id) => endpoint(id, { port: 80 + port }));
          balancer.update(endpoints);
          expect(balancer.upstreams.map(({ id }) => id)).toEqual(set);
          expect(balancer.candidates.toSorted(byId)).toEqual(balancer.upstreams.toSorted(byId));
          for (const upstream of balancer.upstreams) {
            const before = known.get(upstream.id);
            if (before?.address === upstream.address) expect(upstream).toBe(before);
          }
          for (const [id, upstream] of known) {
            if (balancer.upstreams.includes(upstream)) expect(upstream.removed).toBe(false);
            else {
              expect(upstream.removed).toBe(true);
              gone++;
              known.delete(id);
            }
          }
          for (const upstream of balancer.upstreams) known.set(upstream.id, upstream);
        }
        expect(removed).toHaveLength(gone);
      }),
    );
  });
});

function byId(one: Upstream, other: Upstream): number {
  return one.id < other.id ? -1 : 1;
}

describe("candidates", () => {
  it("leave out upstreams that are not available, and announce their states", () => {
    const { set, candidates, changes } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c")]);
    set("ejected", "a");
    expect(candidates()).toBe("b,c");
    set("probing", "b");
    expect(candidates()).toBe("c");
    set("available", "a", "b");
    expect(candidates()).toBe("a,b,c");
    expect(changes).toEqual(["a ejected", "b probing", "a available", "b available"]);
  });

  it("are all upstreams when none is available, and only the available ones as soon as there is one", () => {
    const { set, candidates } = balancerOf([endpoint("a"), endpoint("b")]);
    set("ejected", "a", "b");
    expect(candidates()).toBe("a,b");
    set("available", "b");
    expect(candidates()).toBe("b");
  });

  it("are those of the lowest priority while enough of them are available, then of the next ones too", () => {
    const { set, candidates } = balancerOf([
      endpoint("a", { priority: 10 }),
      endpoint("b"),
      endpoint("c", { priority: 0 }),
      endpoint("d", { priority: 20 }),
    ]);
    expect(candidates()).toBe("b,c");
    set("ejected", "b");
    expect(candidates(), "70 and 30 % of the load").toBe("c,a");
    set("ejected", "c");
    expect(candidates()).toBe("a");
    set("ejected", "a", "d");
    expect(candidates(), "in panic the preferred ones are tried").toBe("b,c");
  });

  it("contain no upstream of weight 0 while there is another of the same priority", () => {
    const { set, candidates } = balancerOf([endpoint("a", { weight: 0 }), endpoint("b"), endpoint("c", { weight: 2, priority: 1 })]);
    expect(candidates()).toBe("b");
    set("ejected", "b");
    expect(candidates(), "the only one of its priority, as SRV records have it, and half of it is out").toBe("a,c");
    set("ejected", "a");
    expect(candidates()).toBe("c");
    expect(balancerOf([endpoint("a", { weight: 0 }), endpoint("b", { weight: 0 })]).candidates()).toBe("a,b");
  });

  it("are built by the first pick after a change, once for all changes before it", () => {
    const { balancer, set, updates } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c")]);
    const pick = () => balancer.pick(testRequest(), true);
    pick();
    pick();
    set("ejected", "a");
    set("ejected", "a");
    set("ejected", "b");
    expect(updates).toEqual(["a,b,c"]);
    pick();
    pick();
    expect(updates).toEqual(["a,b,c", "c"]);
    set("available", "a");
    set("ejected", "a");
    pick();
    expect(updates, "back to where it was").toHaveLength(2);
  });
});

describe("pick", () => {
  it("asks the picker with the candidates and the request", () => {
    const seen: unknown[] = [];
    const picker: Picker = {
      pick(upstreams, request) {
        seen.push(upstreams, request);
        return upstreams[1];
      },
    };
    const { balancer, upstream } = balancerOf([endpoint("a"), endpoint("b")], picker);
    const request = testRequest();
    expect(balancer.pick(request, true)).toBe(upstream("b"));
    expect(seen).toEqual([balancer.candidates, request]);
    expect(seen[0]).toBe(balancer.candidates);
  });

  it("gives a retry an untried upstream while there is one", () => {
    const { balancer } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c")]);
    for (let call = 0; call < 20; call++) {
      const request = testRequest();
      for (let attempt = 0; attempt < 3; attempt++) request.tried.push(balancer.pick(request, true) as Upstream);
      expect(new Set(request.tried).size).toBe(3);
      expect(request.tried).toContain(balancer.pick(request, true));
    }
  });

  it("does not try an upstream twice in panic either", () => {
    const { balancer, set } = balancerOf([endpoint("a"), endpoint("b")]);
    set("ejected", "a", "b");
    const request = testRequest();
    request.tried.push(balancer.pick(request, true) as Upstream);
    expect(request.tried).not.toContain(balancer.pick(request, true));
  });

  it("sends a request that may be repeated to the upstream that waits for a probe", () => {
    const { balancer, set, upstream } = balancerOf([endpoint("a"), endpoint("b")]);
    set("probing", "a");
    expect(balancer.pick(testRequest(), true)).toBe(upstream("a"));
  });

  it("sends only the fiftieth of other requests in a row to an upstream that waits for a probe", () => {
    const { balancer, set, upstream } = balancerOf([endpoint("a"), endpoint("b")]);
    set("probing", "a");
    for (let round = 0; round < 2; round++) {
      for (let call = 1; call < 50; call++)
        expect(balancer.pick(testRequest({ method: "POST" }), false), `call ${call}`).toBe(upstream("b"));
      expect(balancer.pick(testRequest({ method: "POST" }), false)).toBe(upstream("a"));
    }
    for (let call = 1; call < 40; call++) balancer.pick(testRequest(), false);
    balancer.pick(testRequest(), true);
    for (let call = 1; call < 50; call++) expect(balancer.pick(testRequest(), false), "counted anew after a probe").toBe(upstream("b"));
  });

  it("does not use a retry as a probe", () => {
    const { balancer, set, upstream } = balancerOf([endpoint("a"), endpoint("b"), endpoint("c")]);
    set("probing", "a");
    for (let call = 0; call < 100; call++) expect(balancer.pick(testRequest({ tried: [upstream("b")] }), true)).toBe(upstream("c"));
  });

  it("never picks an upstream that is gone, or one out of rotation while another is in", () => {
    const ids = ["a", "b", "c", "d"];
    const step = fc.oneof(
      fc.record({ set: fc.uniqueArray(fc.constantFrom(...ids)) }),
      fc.record({
        id: fc.constantFrom(...ids),
        state: fc.constantFrom<InstanceState>("available", "ejected", "unhealthy", "probing"),
        isProbed: fc.boolean(),
      }),
      fc.record({ tried: fc.nat(4), mayProbe: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { balancer } = balancerOf(ids.map((id, index) => endpoint(id, { weight: index })));
        for (const each of steps) {
          if ("set" in each) balancer.update(each.set.map((id) => endpoint(id, { weight: ids.indexOf(id) })));
          else if ("id" in each)
            balancer.upstreams.find(({ id }) => id === each.id)?.setState(each.state, each.state === "probing" && !each.isProbed);
          else {
            const tried = balancer.upstreams.slice(0, each.tried);
            const picked = balancer.pick(testRequest({ tried: [...tried] }), each.mayProbe);
            if (balancer.upstreams.length === 0) {
              expect(picked).toBeUndefined();
              continue;
            }
            expect(balancer.upstreams).toContain(picked);
            const usable = balancer.upstreams.filter(({ state }) => state === "available");
            if (usable.length > 0) expect(picked?.state === "available" || (picked?.wantsProbe && tried.length === 0)).toBe(true);
            const untried = balancer.candidates.filter((upstream) => !tried.includes(upstream));
            if (tried.length > 0 && untried.length > 0) expect(untried).toContain(picked);
          }
        }
      }),
    );
  });
});
