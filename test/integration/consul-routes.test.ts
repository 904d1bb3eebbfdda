import { describe, expect, it } from "vitest";
import type { MeshEvent } from "../../src/core/observing/events.ts";
import { consul } from "../../src/registries/consul.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const key = "inmesh/shop/routes";
const to = (path: string, service: string): string => `- { name: only, match: { path: { prefix: ${path} } }, to: ${service} }\n`;

describe.skipIf(!available("consul"))("routes in the store of a real Consul", () => {
  it("wait for the first value, follow each good one, and keep the last good one through bad values, an absent key and an outage", async () => {
    await using server = await startConsul();
    const [orders, users] = await Promise.all([
      serve((_request, response) => response.end("orders")),
      serve((_request, response) => response.end("users")),
    ]);
    const registry = consul({ url: server.url, minIntervalMs: 0 });
    const events: MeshEvent[] = [];
    const observers = [{ onEvent: (event: MeshEvent) => void (event.type.startsWith("configur") && events.push(event)) }];
    const mesh = meshOf({ orders: orders.port, users: users.port }, { routes: registry.routes(key), observers, timeoutMs: 30_000 });
    const answer = async (path: string) => (await mesh.fetch(`orders${path}`)).text();

    const first = answer("/a");
    await until("the absent key is said", () => events.length > 0, 20_000);
    expect(events[0]).toMatchObject({ type: "configuration-refused", source: `the key ${key} of consul at ${server.url}` });
    await server.put(`/v1/kv/${key}`, to("/a", "users"));
    // The call that came before the routes goes by them.
    expect(await first).toBe("users");
    expect(events.at(-1)).toMatchObject({ type: "configured", changed: ["routes"] });

    await server.put(`/v1/kv/${key}`, to("/b", "users"));
    await until("the second routes", async () => (await answer("/b")) === "users", 20_000);
    expect(await answer("/a")).toBe("orders");

    const before = events.length;
    await server.put(`/v1/kv/${key}`, "- { name: only, mtach: {} }\n");
    await until("the fault is said", () => events.length > before, 20_000);
    expect(String((events.at(-1) as { error?: Error }).error?.message)).toMatch(/^the key .*:1:\d+: routes\[0\] has no option "mtach"/);
    expect(await answer("/b")).toBe("users");

    await fetch(`${server.url}/v1/kv/${key}`, { method: "DELETE" });
    await until("the deletion is said", () => String((events.at(-1) as { error?: Error }).error?.message).includes("no such key"), 20_000);
    expect(await answer("/b")).toBe("users");

    // Its memory is empty after that.
    await server.restart();
    expect(await answer("/b")).toBe("users");
    await server.put(`/v1/kv/${key}`, to("/c", "users"));
    await until("the routes after the outage", async () => (await answer("/c")) === "users", 60_000);
    expect(await answer("/b")).toBe("orders");
  }, 180_000);
});
