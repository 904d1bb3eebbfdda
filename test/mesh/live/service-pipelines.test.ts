import { describe, expect, it } from "vitest";
import type { Interceptor } from "../../../src/core/dispatch.ts";
import type { MeshEvent } from "../../../src/core/observing/events.ts";
import type { RouteOptions } from "../../../src/routing/route-options.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { serve } from "../../support/servers.ts";

/** Stands in for the routes of a mesh: the first segment of the path is the name of the rule. */
function routing(rules: Readonly<Record<string, RouteOptions>>): Interceptor {
  return (next) => (request) => {
    const rule = request.path.split("/")[1] ?? "";
    const options = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
    return next(options === undefined ? request : { ...request, routed: { rule, target: undefined, subset: undefined, options } });
  };
}

describe("calls by a route with options of its own", () => {
  it("have its retries and its time limits, and those of others have the service's", async () => {
    const server = await serve((request, response) => {
      if (request.url?.endsWith("slow") === true) return;
      response.writeHead(503).end();
    });
    const interceptors = [
      routing({ often: { retry: { maxAttempts: 4, baseDelayMs: 0 } }, brief: { timeoutMs: 40 }, quick: { attemptTimeoutMs: 30 } }),
    ];
    const mesh = meshOf({ orders: server.port }, { interceptors, retry: false, breaker: false, timeoutMs: 20_000 });
    await mesh.fetch("orders/often/x");
    expect(server.seen).toHaveLength(4);
    await mesh.fetch("orders/other/x");
    expect(server.seen).toHaveLength(5);
    expect(String(await rejectionOf(mesh.fetch("orders/brief/slow")))).toContain(
      'within the deadline of 40 ms (timeoutMs of the route "brief")',
    );
    expect(String(await rejectionOf(mesh.fetch("orders/quick/slow")))).toContain("within 30 ms (attemptTimeoutMs)");
  });

  it("pass the limit of concurrency of the service, and draw on its budget of retries", async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_request, response) => answers.push(() => response.end()));
    const interceptors = [routing({ own: { retry: { maxAttempts: 2 } } })];
    const mesh = meshOf({ orders: server.port }, { interceptors, concurrency: { maxInFlight: 1, maxQueued: 0 } });
    const first = mesh.fetch("orders/other/x");
    while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await rejectionOf(mesh.fetch("orders/own/x"))).toMatchObject({ code: "ERR_MESH_OVERLOADED" });
    answers[0]?.();
    await (await first).text();
  });

  it("have a breaker of their own where the route has one, whose state is not that of the service", async () => {
    const server = await serve((request, response) => response.writeHead(request.url?.startsWith("/bad") === true ? 503 : 200).end());
    const events: MeshEvent[] = [];
    const interceptors = [routing({ bad: { breaker: { minCalls: 3, failureRatio: 0.1 } } })];
    const observers = [{ onEvent: (event: MeshEvent) => void (event.type === "breaker" && events.push(event)) }];
    const mesh = meshOf({ orders: server.port }, { interceptors, observers, retry: false, ejection: false, breaker: { minCalls: 1_000 } });
    for (let call = 0; call < 8; call++) await mesh.fetch("orders/bad/x").catch(() => {});
    const error = await rejectionOf(mesh.fetch("orders/bad/x"));
    expect(error).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN", maybeExecuted: false });
    expect(String(error)).toContain('"orders" is failing by the route "bad": its circuit breaker is open');
    expect((await mesh.fetch("orders/good/x")).status).toBe(200);
    expect(mesh.explain("orders")?.breaker).toBe("closed");
    expect(events).toEqual([{ type: "breaker", service: "orders", state: "open", rule: "bad" }]);
  });

  it("keep what is known of them where the table is read again and says the same", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end());
    const rules: Record<string, RouteOptions> = {};
    const mesh = meshOf(
      { orders: server.port },
      { interceptors: [routing(rules)], retry: false, ejection: false, breaker: { minCalls: 1_000 } },
    );
    const limits = () => ({ breaker: { minCalls: 3, failureRatio: 0.1 } });
    rules["bad"] = limits();
    for (let call = 0; call < 8; call++) await mesh.fetch("orders/bad/x").catch(() => {});
    rules["bad"] = limits();
    expect(await rejectionOf(mesh.fetch("orders/bad/x"))).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN" });
    // Its breaker goes on where the table says something else of it, and is gone with the option.
    rules["bad"] = { breaker: { minCalls: 4, failureRatio: 0.1 }, timeoutMs: 4_000 };
    expect(await rejectionOf(mesh.fetch("orders/bad/x"))).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN" });
    expect(mesh.reconfigure({ attemptTimeoutMs: 1_000 })).toEqual(["attemptTimeoutMs"]);
    expect(await rejectionOf(mesh.fetch("orders/bad/x"))).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN" });
    rules["bad"] = { timeoutMs: 4_000 };
    expect((await mesh.fetch("orders/bad/x")).status).toBe(503);
  });
});
