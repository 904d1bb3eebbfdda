import { describe, expect, it } from "vitest";
import { isReliable, nextIndex, noIndex, parseIndex } from "../../../src/registries/consul/blocking-index.ts";

describe("Consul's index", () => {
  it("is read exactly beyond 2^53", () => {
    expect(parseIndex("9007199254740993")).toBe(9007199254740993n);
    expect(parseIndex("18446744073709551615")).toBe(2n ** 64n - 1n);
  });

  it("is nothing to wait at when it is missing, 0, no number or more than Consul can have", () => {
    for (const header of [undefined, "", "0", "abc", "-5", "1.5", "0x10", " 7", "18446744073709551616", String(2n ** 70n), ["1", "2"]]) {
      expect(parseIndex(header)).toBe(noIndex);
    }
  });

  it("starts from the beginning when it goes backwards, or stays although nothing was waited for", () => {
    expect(nextIndex({ asked: 101n, answered: 50n, isEarly: true })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 50n, isEarly: false })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 101n, isEarly: true })).toBe(noIndex);
    expect(nextIndex({ asked: 101n, answered: 101n, isEarly: false })).toBe(101n);
    expect(nextIndex({ asked: 101n, answered: 102n, isEarly: true })).toBe(102n);
    expect(nextIndex({ asked: noIndex, answered: 7n, isEarly: true })).toBe(7n);
  });

  it("makes a change reliable when nothing was waited for, or when it has moved forward and there is something", () => {
    expect([isReliable(noIndex, 7n, 0), isReliable(noIndex, noIndex, 0), isReliable(7n, 8n, 1)]).toEqual([true, true, true]);
    expect([isReliable(7n, 7n, 1), isReliable(7n, 1n, 1), isReliable(7n, noIndex, 1), isReliable(7n, 8n, 0)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
