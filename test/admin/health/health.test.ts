import { describe, expect, it } from "vitest";
import { byHealth } from "../../../src/admin/health/health.ts";
import { stripOf } from "../../../src/admin/health/strip.ts";
import type { RegistrySummary, ServiceRow } from "../../../src/admin/snapshot.ts";

/** The part of a row that decides. */
function row(service: string, effective: number | null, more: Partial<ServiceRow> = {}): ServiceRow {
  const endpoints = { available: 1, ejected: 0, probing: 0, unhealthy: 0 };
  return { service, success: { effective, actual: effective }, endpoints, breaker: "closed", rps: 1, ...more } as ServiceRow;
}

const registry: RegistrySummary = { state: "ok", services: 6, text: "registry OK" };
const services = [row("b", 1), row("idle", null), row("slow", 0.99), row("a", 1), row("out", 1, { breaker: "open" }), row("down", 0.5)];

describe("the strip of a process", () => {
  it("counts what is well and what is not, the worst first, and leaves out what there is none of", () => {
    const text = (parts: ReturnType<typeof stripOf>) => parts.map((part) => part.text).join(" · ");
    expect(text(stripOf({ services, registry }))).toBe("2 failing · 1 degraded · 2 OK · 1 idle · registry OK");
    expect(text(stripOf({ services: [row("a", 1)], registry: { ...registry, state: "waiting" } }))).toBe("1 OK");
    const failing = { state: "failing", services: 2, text: "registry failing" } as const;
    expect(text(stripOf({ services, registry: failing }))).toContain("registry failing for 2 of 6");
    expect(text(stripOf({ services: services.slice(0, 2), registry: failing }))).toBe("1 OK · 1 idle · registry failing");
    expect(stripOf({ services: [], registry: { ...registry, state: "waiting" } })).toEqual([]);
  });
});

describe("the order of services", () => {
  it("is by health, then by name, whatever the traffic", () => {
    const names = (list: readonly ServiceRow[]) => byHealth(list).map(({ service }) => service);
    expect(names(services)).toEqual(["down", "out", "slow", "a", "b", "idle"]);
    expect(names(services.map((each, index) => ({ ...each, rps: 100 - index })))).toEqual(names(services));
  });
});
