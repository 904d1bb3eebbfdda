import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apertureOf } from "../../../src/balancer/candidates/aperture.ts";

// From Finagle's WeightedApertureTest.
const weights = [
  0.06818127601781632, 0.02676535334991952, 0.024259669941850928, 0.060227644665411986, 0.021662557088166313, 0.04581934074401264,
  0.008902600511190118, 0.012225295738506748, 0.03381119880745816, 0.09320068787692642, 0.06778865989313106, 1.8821268751749722e-4,
  0.04998637327300792, 0.09808325343250059, 0.08018058428232361,
];

const even = (count: number) => Array.from({ length: count }, () => 1);

function sumInside(of: readonly number[], { first, parts }: { first: number; parts: readonly number[] }): number {
  const total = of.reduce((sum, weight) => sum + weight, 0);
  return parts.reduce((sum, part, index) => sum + (part * (of[(first + index) % of.length] as number)) / total, 0);
}

describe("apertureOf", () => {
  it("is Finagle's for 15 weighted servers, 5 clients and 12 servers wanted", () => {
    const second = apertureOf(weights, 12, { index: 1, count: 5 });
    expect([second.first, second.parts.length]).toEqual([3, 12]);
    expect(sumInside(weights, second)).toBeCloseTo(0.8, 9);
    const first = apertureOf(weights, 12, { index: 0, count: 5 });
    expect([first.first, first.parts.length]).toEqual([0, 14]);
    expect(sumInside(weights, first)).toBeCloseTo(0.8, 9);
  });

  it("is the whole ring when there are no more servers than wanted", () => {
    for (const index of [0, 1, 2, 3]) expect(apertureOf(even(10), 12, { index, count: 4 })).toEqual({ first: 0, parts: even(10) });
    expect(apertureOf([], 3, { index: 0, count: 1 })).toEqual({ first: 0, parts: [] });
    expect(apertureOf([0, 0], 1, { index: 0, count: 9 })).toEqual({ first: 0, parts: [1, 1] });
  });

  it("cuts servers in two where sections end within them", () => {
    expect(apertureOf(even(3), 1, { index: 0, count: 2 })).toEqual({ first: 0, parts: [1, 0.5] });
    expect(apertureOf(even(3), 1, { index: 1, count: 2 })).toEqual({ first: 1, parts: [0.5, 1] });
  });

  it("continues at the beginning of the ring, and adds up both ends of a server", () => {
    expect(apertureOf(even(4), 2, { index: 3, count: 4 })).toEqual({ first: 3, parts: [1, 1] });
    // Three of four sections of two servers, from the middle of the second one: 0.5 of the second and the whole first.
    const { first, parts } = apertureOf(even(2), 1.5 as number, { index: 3, count: 4 });
    expect([first, parts]).toEqual([1, [0.5, 1]]);
    const joined = apertureOf([1, 3], 1, { index: 2, count: 3 });
    expect(sumInside([1, 3], joined)).toBeCloseTo(2 / 3, 9);
    expect(joined.parts.length).toBe(2);
  });

  it("leaves out servers of weight 0", () => {
    const { first, parts } = apertureOf([1, 0, 1, 0, 1, 1], 2, { index: 0, count: 4 });
    expect([first, parts]).toEqual([0, [1, 1]]);
  });

  it("loads every server in proportion to its weight over all clients", () => {
    const sizes = fc.record({
      servers: fc.integer({ min: 1, max: 60 }),
      count: fc.integer({ min: 1, max: 40 }),
      size: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(sizes, fc.boolean(), ({ servers, count, size }, isWeighted) => {
        const all = Array.from({ length: servers }, (_, index) => (isWeighted ? 1 + ((index * 7) % 5) : 1));
        const total = all.reduce((sum, weight) => sum + weight, 0);
        const inside = new Array<number>(servers).fill(0);
        const clients = new Array<number>(servers).fill(0);
        for (let index = 0; index < count; index++) {
          const { first, parts } = apertureOf(all, size, { index, count });
          expect(parts.length).toBeLessThanOrEqual(servers);
          expect(sumInside(all, { first, parts }) * servers).toBeGreaterThanOrEqual(Math.min(size, servers) - 1e-9);
          for (const [step, part] of parts.entries()) {
            expect(part).toBeGreaterThan(0);
            expect(part).toBeLessThanOrEqual(1 + 1e-9);
            const server = (first + step) % servers;
            inside[server] = (inside[server] as number) + part;
            clients[server] = (clients[server] as number) + 1;
          }
        }
        const sections = Math.min(count, Math.ceil((size * count) / servers));
        for (const sum of inside) expect(sum).toBeCloseTo(sections, 6);
        expect(total).toBeGreaterThan(0);
        // With equal servers each has whole clients, and at most two that are cut by the ends of its sections.
        if (!isWeighted) expect(Math.max(...clients) - Math.min(...clients)).toBeLessThanOrEqual(1 + Math.ceil(count / servers));
      }),
    );
  });
});
