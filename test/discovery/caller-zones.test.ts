import { describe, expect, it } from "vitest";
import { CallerZones, type ZoneCounts } from "../../src/discovery/caller-zones.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { closing } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const at = (zone: string | undefined, port: number) => ({ host: "127.0.0.1", port, ...(zone === undefined ? {} : { zone }) });

function zonesOf(registry = memoryRegistry()) {
  const errors: string[] = [];
  const clock = virtualClock();
  const onError = (service: string, error: unknown) => errors.push(`${service}: ${(error as Error).message}`);
  return { registry, clock, errors, zones: new CallerZones({ discovery: registry, clock, random: () => 0.5, onError }) };
}

describe("CallerZones", () => {
  it("counts the instances of a service by zone and tells of every change, and of nothing else", async () => {
    const { registry, clock, zones } = zonesOf();
    const told: (readonly [string | undefined, number][] | undefined)[] = [];
    const unfollow = zones.follow("web", (counts) => told.push(counts && [...counts]));
    await clock.advance(10);
    expect(told, "no instance is known").toEqual([]);
    registry.set("web", [at("a", 1), at("a", 2), at("b", 3), at(undefined, 4), at("", 5)]);
    await clock.advance(10);
    registry.set("web", [at("a", 6), at("a", 2), at("b", 3), at(undefined, 4), at(undefined, 5)]);
    await clock.advance(10);
    registry.set("web", [at("a", 1)]);
    await clock.advance(10);
    registry.set("web", []);
    await clock.advance(60_000);
    expect(told).toEqual([
      [
        ["a", 2],
        ["b", 1],
        [undefined, 2],
      ],
      [["a", 1]],
      undefined,
    ]);
    await unfollow();
  });

  it("watches a service once however many follow it, tells a late one at once, and lets go with the last", async () => {
    const { registry, clock, zones } = zonesOf();
    registry.set("web", [at("a", 1)]);
    const told: ZoneCounts[] = [];
    const first = zones.follow("web", (counts) => told.push(counts));
    await clock.advance(10);
    const second = zones.follow("web", (counts) => told.push(counts));
    expect([registry.watches, told.length]).toEqual([1, 2]);
    await first();
    await first();
    expect(registry.watches).toBe(1);
    await second();
    expect([registry.watches, clock.pending.length]).toEqual([0, 0]);
    const third = zones.follow("web", (counts) => told.push(counts));
    await clock.advance(10);
    expect([registry.watches, told.length], "a new watch").toEqual([1, 3]);
    await third();
  });

  it("reports what discovery fails with and keeps what it knows", async () => {
    const { registry, clock, errors, zones } = zonesOf();
    registry.set("web", [at("a", 1)]);
    const told: ZoneCounts[] = [];
    const unfollow = zones.follow("web", (counts) => told.push(counts));
    await clock.advance(10);
    registry.fail(new Error("gone"));
    await clock.advance(1_000);
    expect(errors[0]).toMatch(/^web: .*gone/);
    expect(told).toHaveLength(1);
    await unfollow();
  });
});

describe("a mesh that knows its zone", () => {
  it("keeps requests in it, as far as the callers that discovery counts leave room there", async () => {
    const servers = await Promise.all(Array.from({ length: 8 }, () => serve()));
    const registry = memoryRegistry();
    // Three quarters of the callers are in a, but only a quarter of the instances.
    registry.set("web", [at("a", 1), at("a", 2), at("a", 3), at("b", 4)]);
    registry.set(
      "orders",
      servers.map(({ port }, index) => at(index < 2 ? "a" : "b", port)),
    );
    const mesh = closing(createMesh({ discovery: registry, zone: "a", balancing: { zoneAware: { callers: "web" } }, observers: [] }));
    await (await mesh.fetch("orders/x")).text();
    const reasons = () => new Set(mesh.explain("orders")?.endpoints.map(({ reason }) => reason));
    await until("the callers are counted", () => reasons().has('in rotation: zone "a" takes 33.3 % of the requests'));
    expect(reasons().has('in rotation: zone "b" takes 66.7 % of the requests')).toBe(true);
    registry.set("web", [at("a", 1), at("b", 2), at("b", 3), at("b", 4)]);
    await until("the callers are counted anew", () => reasons().has("in rotation"));
    const before = servers.slice(2).map(({ seen }) => seen.length);
    for (let call = 0; call < 20; call++) await (await mesh.fetch("orders/x")).text();
    expect(
      servers.slice(2).map(({ seen }) => seen.length),
      "nothing leaves the zone",
    ).toEqual(before);
    await mesh.close();
    expect(registry.watches).toBe(0);
  });

  it("may be told otherwise for one service, and needs no watch then", async () => {
    const server = await serve();
    const registry = memoryRegistry();
    registry.set(
      "orders",
      Array.from({ length: 6 }, (_, index) => ({ id: `${index}`, ...at(index < 3 ? "a" : "b", server.port) })),
    );
    const mesh = closing(
      createMesh({
        discovery: registry,
        zone: "a",
        balancing: { zoneAware: { callers: "web" } },
        services: { orders: { balancing: { zoneAware: false } } },
        observers: [],
      }),
    );
    await (await mesh.fetch("orders/x")).text();
    expect(mesh.explain("orders")?.endpoints.map(({ candidate, reason }) => [candidate, reason])).toEqual(
      Array(6).fill([true, "in rotation"]),
    );
    expect(registry.watches).toBe(1);
  });

  it("refuses wrong options when it is made", () => {
    const discovery = memoryRegistry();
    expect(() => createMesh({ discovery, zone: "" })).toThrow("zone must be a string that is not empty");
    expect(() => createMesh({ discovery, balancing: { subset: { size: 0 } } })).toThrow("balancing.subset.size must be at least 1, not 0");
    expect(() => createMesh({ discovery, services: { orders: { balancing: { slowStart: { windowMs: -1 } } } } })).toThrow(
      "services.orders.balancing.slowStart.windowMs must be at least 1, not -1",
    );
    expect(() => createMesh({ discovery, services: { orders: { zone: "a" } as never } })).toThrow('services.orders has no option "zone"');
  });
});
