import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { keepIfSame, sameEndpoints } from "../../src/discovery/same-endpoints.ts";

describe("two sets of endpoints", () => {
  const a: Endpoint = { id: "a", host: "h", port: 1, weight: 1, zone: "z", metadata: { version: "1" } };
  const b: Endpoint = { ...a, id: "b" };

  it("are the same in another order", () => {
    expect(sameEndpoints([a, b], [{ ...b }, { ...a, metadata: { version: "1" } }])).toBe(true);
    expect(sameEndpoints([], [])).toBe(true);
  });

  it("differ in anything an endpoint says", () => {
    const changes: Partial<Endpoint>[] = [
      { id: "c" },
      { host: "x" },
      { port: 2 },
      { weight: 2 },
      { zone: "y" },
      { secure: true },
      { metadata: { version: "2" } },
      { metadata: { other: "1" } },
      { metadata: {} },
      { priority: 1 },
      { socketPath: "/run/h.sock" },
      { peer: { id: "spiffe://example.org/orders" } },
    ];
    for (const change of changes) {
      expect(sameEndpoints([a, b], [{ ...a, ...change }, b])).toBe(false);
      expect(sameEndpoints([a, b], [b, { ...a, ...change }])).toBe(false);
    }
    expect(sameEndpoints([a, b], [a])).toBe(false);
    expect(sameEndpoints([a, b], [a, b, b])).toBe(false);
    for (const twice of [
      [a, a],
      [b, b],
    ]) {
      expect(sameEndpoints([a, b], twice)).toBe(false);
      expect(sameEndpoints(twice, [b, a])).toBe(false);
    }
  });

  it("are one array where they are the same, and the newer one where they differ", () => {
    const before = [a, b];
    const moved = [{ ...a, port: 2 }, b];
    expect(keepIfSame(before, [{ ...b }, { ...a }])).toBe(before);
    expect(keepIfSame(before, moved)).toBe(moved);
    expect(keepIfSame(undefined, before)).toBe(before);
  });
});
