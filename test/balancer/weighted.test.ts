import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker } from "../../src/balancer/picker.ts";
import { weighted } from "../../src/balancer/weighted.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { pickerContract } from "../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";

const names = "abcdefghijklmnop";

function upstreamsOf(weights: readonly number[]): Upstream[] {
  return weights.map((weight, index) => testUpstream({ id: names[index] as string, port: index + 1, weight }));
}

function picks(picker: Picker, upstreams: readonly Upstream[], count: number): string {
  return Array.from({ length: count }, () => picker.pick(upstreams, testRequest())?.id).join("");
}

function started(weights: readonly number[]): { picker: Picker; upstreams: Upstream[] } {
  const picker = weighted();
  const upstreams = upstreamsOf(weights);
  picker.update?.(upstreams);
  return { picker, upstreams };
}

function reweigh(upstream: Upstream | undefined, weight: number): void {
  upstream?.refresh({ ...upstream.endpoint, weight });
}

/** nginx's loop (ngx_http_upstream_get_peer) for healthy peers, as it stands there. */
function nginx(weights: readonly number[], count: number): string {
  const peers = weights.map((weight) => ({ effectiveWeight: weight, currentWeight: 0 }));
  let sequence = "";
  for (let pick = 0; pick < count; pick++) {
    let best = -1;
    let total = 0;
    for (const [index, peer] of peers.entries()) {
      peer.currentWeight += peer.effectiveWeight;
      total += peer.effectiveWeight;
      if (best === -1 || peer.currentWeight > (peers[best] as (typeof peers)[0]).currentWeight) best = index;
    }
    (peers[best] as (typeof peers)[0]).currentWeight -= total;
    sequence += names[best];
  }
  return sequence;
}

const counted = (sequence: string, id: string) => sequence.split(id).length - 1;

describe("weighted", () => {
  for (const test of pickerContract(() => weighted())) it(test.name, test.run);

  it("gives nginx's sequence for 5, 1, 1", () => {
    const { picker, upstreams } = started([5, 1, 1]);
    expect(picks(picker, upstreams, 14)).toBe("aabacaaaabacaa");
  });

  it("gives nginx's sequence for any weights", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }), (weights) => {
        const { picker, upstreams } = started(weights);
        const count = 3 * weights.reduce((sum, weight) => sum + weight, 0);
        expect(picks(picker, upstreams, count)).toBe(nginx(weights, count));
      }),
    );
  });

  it("gives each exactly its share in every round of the weights, and nothing to those of weight 0", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 2, maxLength: 8 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 0);
        const { picker, upstreams } = started(weights);
        const even = weights.every((weight) => weight === weights[0]);
        const sequence = picks(picker, upstreams, even ? weights.length : total);
        for (const [index, weight] of weights.entries()) expect(counted(sequence, names[index] as string)).toBe(even ? 1 : weight);
      }),
    );
  });

  it("keeps its place across an update with the same weights", () => {
    const { picker, upstreams } = started([5, 1, 1]);
    let sequence = "";
    for (let pick = 0; pick < 14; pick++) {
      sequence += picks(picker, upstreams, 1);
      picker.update?.([...upstreams]);
    }
    expect(sequence).toBe("aabacaaaabacaa");
  });

  it("does not begin again with the first when another joins with every pick", () => {
    const picker = weighted();
    const [a, b, ...others] = upstreamsOf([2, 2, 1, 1, 1, 1, 1, 1]) as [Upstream, Upstream, ...Upstream[]];
    let sequence = "";
    for (const other of others) {
      const set = [a, b, other];
      picker.update?.(set);
      sequence += picks(picker, set, 1);
    }
    expect(counted(sequence, "a")).toBeLessThanOrEqual(3);
    expect(counted(sequence, "b")).toBeGreaterThanOrEqual(2);
  });

  it("does not let one wait for what it was ahead in weights it no longer has", () => {
    const { picker, upstreams } = started([1_000, 1_000, 1]);
    picks(picker, upstreams, 1);
    reweigh(upstreams[0], 2);
    reweigh(upstreams[1], 1);
    picker.update?.(upstreams);
    expect(counted(picks(picker, upstreams, 8), "a")).toBeGreaterThanOrEqual(3);
  });

  it("gives a newcomer its share at once, however often others have left right after their turn", () => {
    const picker = weighted();
    const stable = Array.from({ length: 8 }, (_, index) => testUpstream({ id: `s${index}`, port: index + 1, weight: 2 }));
    for (let round = 0; round < 500; round++) {
      const passing = testUpstream({ id: `p${round}`, port: 99, weight: 1 });
      const set = [...stable, passing];
      picker.update?.(set);
      for (let pick = 0; pick < 500 && picker.pick(set, testRequest()) !== passing; pick++);
    }
    const last = [...stable, testUpstream({ id: "n", port: 98, weight: 1 })];
    picker.update?.(last);
    expect(counted(picks(picker, last, 3 * 17), "n")).toBeGreaterThanOrEqual(2);
  });

  it("keeps to the shares after any changes", () => {
    const sets = fc.array(fc.array(fc.nat(6), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sets, fc.array(fc.nat(20), { minLength: 12, maxLength: 12 }), (weightSets, pauses) => {
        const picker = weighted();
        const upstreams = upstreamsOf([1, 1, 1, 1, 1, 1]);
        for (const [round, weights] of weightSets.entries()) {
          for (const [index, weight] of weights.entries()) reweigh(upstreams[index], weight);
          const set = upstreams.filter((_, index) => (round + index) % 3 !== 0);
          picker.update?.(set);
          picks(picker, set, pauses[round] as number);
          const total = set.reduce((sum, { weight }) => sum + weight, 0);
          if (total === 0 || set.every(({ weight }) => weight === set[0]?.weight)) continue;
          const sequence = picks(picker, set, 3 * total);
          for (const { id, weight } of set) {
            if (weight === 0) expect(sequence).not.toContain(id);
            else expect(Math.abs(counted(sequence, id) - 3 * weight)).toBeLessThanOrEqual(set.length);
          }
        }
      }),
    );
  });

  it("picks nobody whose weight has become 0 while others have one, also among a part of the set", () => {
    const { picker, upstreams } = started([5, 3, 1, 1]);
    picks(picker, upstreams, 3);
    reweigh(upstreams[1], 0);
    picker.update?.(upstreams);
    expect(picks(picker, upstreams, 50)).not.toContain("b");
    expect(picks(picker, upstreams.slice(1, 3), 20)).toBe("c".repeat(20));
    expect(new Set(picks(picker, upstreams.slice(1, 2), 5))).toEqual(new Set("b"));
  });

  it("takes turns while all weights are equal, 0 included", () => {
    for (const weight of [0, 1, 7]) {
      const { picker, upstreams } = started([weight, weight, weight]);
      expect(picks(picker, upstreams, 6)).toBe("abcabc");
    }
  });

  it("is not thrown off the shares by picks among a part of the set", () => {
    const { picker, upstreams } = started([5, 1, 1]);
    let all = "";
    for (let round = 0; round < 700; round++) {
      all += picks(picker, upstreams, 1);
      picks(picker, upstreams.slice(1), 1);
    }
    expect(counted(all, "a") / 700).toBeGreaterThan(0.65);
  });
});
