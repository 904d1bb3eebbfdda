import { describe, expect, it } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";

describe("mesh.eject and mesh.readmit", () => {
  it("take an instance out of rotation for a time and put it back", async () => {
    const [one, other] = [await serve(), await serve()];
    const mesh = meshOf({ orders: [one.port, other.port] });
    const id = `127.0.0.1:${one.port}`;
    await (await mesh.fetch("orders/1")).text();
    expect(mesh.eject("orders", id, { forMs: 60_000 })).toBe(true);
    one.begun.length = 0;
    for (let call = 0; call < 10; call++) await (await mesh.fetch("orders/1")).text();
    expect(one.begun).toHaveLength(0);
    expect(mesh.explain("orders")?.endpoints[0]?.reason).toMatch(/^out for 0\.\d s: operator, back in (60\.0|59\.\d) s$/);
    expect(mesh.readmit("orders", id)).toBe(true);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ reason: "in rotation", ejection: undefined, state: "available" });
  });

  it("work where breakers are off, too", async () => {
    const [one, other] = [await serve(), await serve()];
    const mesh = meshOf({ orders: [one.port, other.port] }, { breaker: false });
    await (await mesh.fetch("orders/1")).text();
    expect(mesh.eject("orders", `127.0.0.1:${one.port}`, { forMs: 60_000 })).toBe(true);
    one.begun.length = 0;
    for (let call = 0; call < 10; call++) await (await mesh.fetch("orders/1")).text();
    expect(one.begun).toHaveLength(0);
  });

  it("leave the last instance to be called: better it than none", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    await (await mesh.fetch("orders/1")).text();
    mesh.eject("orders", `127.0.0.1:${server.port}`, { forMs: 60_000 });
    expect((await mesh.fetch("orders/1")).status).toBe(200);
  });

  it("say when there is no such service or instance", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    await (await mesh.fetch("orders/1")).text();
    expect(mesh.eject("users", "x", { forMs: 1 })).toBe(false);
    expect(mesh.eject("orders", "x", { forMs: 1 })).toBe(false);
    expect(mesh.readmit("users", "x")).toBe(false);
    expect(mesh.readmit("orders", "x")).toBe(false);
  });

  it.each([0, -1, Number.NaN, "5", 86_400_001, undefined])("refuse a wrong time: %s", (forMs) => {
    const mesh = meshOf({});
    expect(() => mesh.eject("orders", "x", { forMs: forMs as number })).toThrow(/^eject: forMs must be /);
  });
});
