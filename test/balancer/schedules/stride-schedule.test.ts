import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StrideSchedule } from "../../../src/balancer/schedules/stride-schedule.ts";

function count(weights: readonly number[], picks: number, sequence = 0): number[] {
  const schedule = new StrideSchedule(Float64Array.from(weights), sequence);
  const counts = weights.map(() => 0);
  for (let pick = 0; pick < picks; pick++) {
    const index = schedule.next();
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

/** gRPC's scheduler, transcribed, for scaled weights. */
function grpc(weights: readonly number[], picks: number, start: number): number[] {
  const picked: number[] = [];
  for (let sequence = BigInt(start); picked.length < picks; sequence++) {
    const size = BigInt(weights.length);
    const index = sequence % size;
    const weight = BigInt(weights[Number(index)] as number);
    if ((weight * (sequence / size) + index * 32_767n) % 65_535n < 65_535n - weight) continue;
    picked.push(Number(index));
  }
  return picked;
}

describe("StrideSchedule", () => {
  // static_stride_scheduler_test.cc
  it.each([
    [[1, 2, 3], 6, [1, 2, 3]],
    [[3, 0, 1], 6, [3, 2, 1]],
    [[300, 300, 0], 9, [3, 3, 3]],
    [[100, 1e-10], 201, [200, 1]],
    [[0, 0], 4, [2, 2]],
  ])("gives %j in %i picks their shares as gRPC does", (weights, picks, expected) => {
    expect(count(weights, picks)).toEqual(expected);
  });

  it("gives the heaviest member exactly its share over all 65,535 rounds", () => {
    expect(count([1, 2, 3], 65_535 * 2)[2]).toBe(65_535);
  });

  it("gives gRPC's sequence from any start, also across the end of the rounds", () => {
    const weights = fc.array(fc.integer({ min: 6_554, max: 65_534 }), { minLength: 1, maxLength: 8 }).map((list) => [65_535, ...list]);
    fc.assert(
      fc.property(weights, fc.nat(2 ** 31), (list, start) => {
        const schedule = new StrideSchedule(Float64Array.from(list), start);
        expect(Array.from({ length: 200 }, () => schedule.next())).toEqual(grpc(list, 200, start));
      }),
    );
    const schedule = new StrideSchedule(Float64Array.of(65_535, 9_999), 65_535 * 2 - 50);
    expect(Array.from({ length: 200 }, () => schedule.next())).toEqual(grpc([65_535, 9_999], 200, 65_535 * 2 - 50));
  });

  it("continues where the schedule before has ended", () => {
    const whole = new StrideSchedule(Float64Array.of(5, 3, 2), 7);
    const first = new StrideSchedule(Float64Array.of(5, 3, 2), 7);
    const sequence = Array.from({ length: 10 }, () => first.next());
    const second = new StrideSchedule(Float64Array.of(5, 3, 2), first.sequence);
    sequence.push(...Array.from({ length: 10 }, () => second.next()));
    expect(sequence).toEqual(Array.from({ length: 20 }, () => whole.next()));
  });

  it.each([
    [1, 81],
    [1, 1e12],
    [5, 1e12],
    [9, 1e12],
  ])("gives %i of 20 members that claim %d times the weight of the others no more than ten times theirs", (liars, claim) => {
    const weights = [...Array.from({ length: liars }, () => claim), ...Array.from({ length: 20 - liars }, () => 1)];
    const counts = count(weights, 20_000);
    expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(10.2);
    expect(Math.max(...counts) / 20_000).toBeLessThanOrEqual(10 / 20);
  });

  it("gives a member of unknown weight the share of an average one, whatever another one claims", () => {
    const counts = count([1e12, ...Array.from({ length: 18 }, () => 1), 0], 29_000);
    expect((counts[19] as number) / (counts[1] as number)).toBeLessThan(2);
  });

  it("gives members of unknown weight the share of the mean", () => {
    expect(count([500, 500, 500, 0], 4_000).map((each) => each / 4_000)).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});
