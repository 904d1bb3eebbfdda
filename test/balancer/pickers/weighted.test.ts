import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Picker } from "../../../src/balancer/picker.ts";
import { weighted } from "../../../src/balancer/pickers/weighted.ts";
import type { Upstream } from "../../../src/core/upstream.ts";
import { statisticsOf } from "../../../src/core/upstream.ts";
import { pickerContract } from "../../../src/testing/contract/picker.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";

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

/** nginx's loop (ngx_http_upstream_get_peer) for healthy peers, transcribed. */
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
  for (const test of pickerContract((options) => weighted(options))) it(test.name, test.run);

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

  it("gives each instance exactly its share in every round, and none to weight 0", () => {
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

  it("does not begin with the first instance again when one joins with every pick", () => {
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

  it("does not make an instance wait for turns that it had by an earlier, higher weight", () => {
    const { picker, upstreams } = started([1_000, 1_000, 1]);
    picks(picker, upstreams, 1);
    reweigh(upstreams[0], 2);
    reweigh(upstreams[1], 1);
    picker.update?.(upstreams);
    expect(counted(picks(picker, upstreams, 8), "a")).toBeGreaterThanOrEqual(3);
  });

  it("gives a new instance its share at once, however often others have left right after their turn", () => {
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

  it("keeps the shares after any changes", () => {
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

  it("does not pick an instance whose weight has become 0 while others are positive, also in a part of the list", () => {
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

  it("keeps the shares in spite of picks from a part of the list", () => {
    const { picker, upstreams } = started([5, 1, 1]);
    let all = "";
    for (let round = 0; round < 700; round++) {
      all += picks(picker, upstreams, 1);
      picks(picker, upstreams.slice(1), 1);
    }
    expect(counted(all, "a") / 700).toBeGreaterThan(0.65);
  });

  it("gives nginx's sequence among 256 candidates too, and after a million picks", () => {
    const weights = Array.from({ length: 256 }, (_, index) => 1 + ((index * 7_919) % 97));
    const upstreams = weights.map((weight, index) => testUpstream({ id: `${index}`, port: index + 1, weight }));
    const picker = weighted();
    picker.update?.(upstreams);
    const currents = weights.map(() => 0);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const next = () => {
      let best = 0;
      for (const [index, weight] of weights.entries()) {
        currents[index] = (currents[index] as number) + weight;
        if ((currents[index] as number) > (currents[best] as number)) best = index;
      }
      currents[best] = (currents[best] as number) - total;
      return best;
    };
    for (let pick = 0; pick < 5_000; pick++) expect(picker.pick(upstreams, testRequest())).toBe(upstreams[next()]);
    const few = started([5, 1, 1]);
    for (let pick = 0; pick < 2 ** 20 - 3; pick++) few.picker.pick(few.upstreams, testRequest());
    expect(picks(few.picker, few.upstreams, 21)).toBe(nginx([5, 1, 1], 2 ** 20 + 18).slice(-21));
  });

  it("gives exact shares among more than 256 instances, also at 65,535 : 1", () => {
    for (const weightOf of [
      (index: number) => 1 + (index % 7),
      (index: number) => (index === 3 ? 65_535 : 1),
      (index: number) => index % 5,
    ]) {
      const upstreams = Array.from({ length: 1_000 }, (_, index) => testUpstream({ port: index + 1, weight: weightOf(index) }));
      const picker = weighted({ random: seededRandom(1) });
      picker.update?.(upstreams);
      const total = upstreams.reduce((sum, { weight }) => sum + weight, 0);
      for (let pick = 0; pick < total; pick++) statisticsOf(picker.pick(upstreams, testRequest()) as Upstream).attempts++;
      for (const { attempts: requests, weight } of upstreams) expect(Math.abs(requests - weight)).toBeLessThanOrEqual(1);
    }
  });

  it("spreads the picks of each instance evenly among more than 256", () => {
    const upstreams = Array.from({ length: 300 }, (_, index) => testUpstream({ port: index + 1, weight: index < 30 ? 10 : 1 }));
    const picker = weighted({ random: seededRandom(2) });
    picker.update?.(upstreams);
    // Each heavy member is due every 57 picks.
    const last = new Map<Upstream, number>();
    for (let pick = 0; pick < 5_700; pick++) {
      const picked = picker.pick(upstreams, testRequest()) as Upstream;
      const gap = pick - (last.get(picked) ?? pick);
      if (picked.weight === 10 && gap > 0) expect(Math.abs(gap - 57)).toBeLessThan(15);
      last.set(picked, pick);
    }
  });

  it("keeps the place of every instance when one joins or leaves with every pick, above and below 256", () => {
    const upstreams = Array.from({ length: 258 }, (_, index) => testUpstream({ port: index + 1, weight: 1 + (index % 3) }));
    const picker = weighted({ random: seededRandom(3) });
    const total = upstreams.reduce((sum, { weight }) => sum + weight, 0);
    for (let pick = 0; pick < 4 * total; pick++) {
      // 258, 257, 256, 257 members.
      const list = upstreams.slice(0, 258 - (pick % 4 === 3 ? 1 : pick % 4));
      picker.update?.(list);
      statisticsOf(picker.pick(list, testRequest()) as Upstream).attempts++;
    }
    for (const { attempts: requests, weight } of upstreams.slice(0, 256)) expect(Math.abs(requests - 4 * weight)).toBeLessThanOrEqual(3);
  });

  it("keeps two lists apart", () => {
    const picker = weighted();
    const upstreams = upstreamsOf([5, 1, 1, 2, 1]);
    const [one, other] = [upstreams.slice(0, 3), upstreams.slice(3)];
    for (const list of [one, other]) picker.update?.(list);
    let sequence = "";
    for (let pick = 0; pick < 6; pick++) sequence += picks(picker, one, 1) + picks(picker, other, 1);
    // a a b a c a … and d e d …, one of each in turn.
    expect(sequence).toBe("adaebdadceadad".slice(0, 12));
  });

  it("explains the weight of an instance", () => {
    const { picker, upstreams } = started([5, 1]);
    expect(picker.explain?.(upstreams[0] as Upstream)).toEqual({ weight: 5 });
  });
});
