import { describe, expect, it } from "vitest";
import type { Observer } from "../../src/core/observing/observer.ts";
import type { MeshReading, ServiceReading } from "../../src/core/observing/reading.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { memoryRegistry } from "../../src/testing/memory-registry.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { closedPort, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** An observer that keeps what it is shown. */
function reader(): Observer & { readonly mesh: () => MeshReading; readonly service: () => ServiceReading } {
  let opened: MeshReading | undefined;
  const mesh = () => {
    if (opened === undefined) throw new Error("onOpen was not called");
    return opened;
  };
  const service = () => {
    const [first] = mesh().services();
    if (first === undefined) throw new Error("no service has been called");
    return first;
  };
  const onOpen = (reading: MeshReading): void => {
    opened = reading;
  };
  return { onOpen, mesh, service };
}

describe("the reading of a mesh", () => {
  it("is handed to its observers before the first call, and has no services then", async () => {
    const seen = reader();
    const mesh = closing(meshOf({}, { observers: [seen], zone: "z1" }));
    expect(seen.mesh()).toMatchObject({ zone: "z1", certificateExpiresAtMs: undefined });
    expect(seen.mesh().services()).toEqual([]);
    expect(mesh.services()).toEqual([]);
  });

  it("counts endpoints by state, and what is in flight", async () => {
    let finish = () => {};
    const server = await serve((_request, response) => {
      response.write("o");
      finish = () => void response.end("k");
    });
    const seen = reader();
    const registry = memoryRegistry();
    registry.set("orders", [
      { id: "bad", host: "127.0.0.1", port: await closedPort() },
      { id: "good", host: "127.0.0.1", port: server.port },
    ]);
    const mesh = closing(
      createMesh({
        discovery: registry,
        observers: [seen],
        picker: { pick: ([first]) => first },
        breaker: { breakMs: 60_000 },
        concurrency: { maxInFlight: 5 },
      }),
    );
    const response = await mesh.fetch("orders/x");
    expect(mesh.services()).toEqual(["orders"]);
    expect(seen.service()).toMatchObject({
      service: "orders",
      inFlight: 1,
      endpoints: { available: 1, ejected: 1, probing: 0, unhealthy: 0 },
      avoided: 0,
      unconfirmed: 0,
      panicking: false,
      breaker: "closed",
      concurrency: { inFlight: 1, queued: 0, limit: 5 },
    });
    expect(seen.service().discoveryAgeMs).toBeGreaterThanOrEqual(0);
    finish();
    await response.text();
    expect(seen.service()).toMatchObject({ inFlight: 0, concurrency: { inFlight: 0 } });
  });

  it("shows the budget of the retries go down with each", async () => {
    const seen = reader();
    const server = await serve((_request, response) => void response.writeHead(503).end());
    const mesh = closing(
      meshOf({ orders: server.port }, { observers: [seen], breaker: false, retry: { budget: { ratio: 0, minRetriesPerSecond: 1 } } }),
    );
    await (await mesh.fetch("orders/x")).text();
    // Three attempts: two of the ten retries that one a second makes of ten seconds.
    expect(seen.service().retryBudget).toBe(8);
  });

  it("shows panic, probing and what health checks hold", async () => {
    const seen = reader();
    const mesh = closing(
      meshOf(
        { orders: [await closedPort()], checked: [await closedPort()] },
        {
          observers: [seen],
          breaker: { breakMs: 1 },
          services: { checked: { healthCheck: { type: "tcp", intervalMs: 10, timeoutMs: 10 } } },
        },
      ),
    );
    const of = (name: string) =>
      seen
        .mesh()
        .services()
        .find(({ service }) => service === name);
    await mesh.fetch("orders/x").catch(() => {});
    await until("the breaker waits for a probe", () => of("orders")?.endpoints.probing === 1);
    expect(of("orders")?.panicking).toBe(true);
    await mesh.fetch("checked/x").catch(() => {});
    await until("the health check fails", () => of("checked")?.endpoints.unhealthy === 1);
  });
});

describe("mesh.observe", () => {
  it("adds an observer for what begins then, and takes it away again", async () => {
    const server = await serve();
    const mesh = closing(meshOf({ orders: server.port }, { observers: [] }));
    await (await mesh.fetch("orders/before")).text();
    const log: string[] = [];
    const leave = mesh.observe({
      onOpen: ({ services }) => log.push(`opened with ${services().map(({ service }) => service)}`),
      onCall: ({ path }) => {
        log.push(path);
        return { onEnd: ({ status }) => log.push(`${path} ${status}`) };
      },
      onClose: () => log.push("closed"),
    });
    await (await mesh.fetch("orders/while")).text();
    leave();
    leave();
    await (await mesh.fetch("orders/after")).text();
    expect(log).toEqual(["opened with orders", "/while", "/while 200", "closed"]);
  });

  it("hands each observer its own follower when another has left meanwhile", async () => {
    let finish = () => {};
    const server = await serve((_request, response) => {
      response.writeHead(200).flushHeaders();
      finish = () => void response.end();
    });
    const ends: string[] = [];
    const mesh = closing(meshOf({ orders: server.port }, { observers: [] }));
    const named = (name: string): Observer => ({
      onCall: () => ({ onEnd: () => ends.push(name) }),
    });
    const leave = mesh.observe(named("first"));
    mesh.observe(named("second"));
    const response = await mesh.fetch("orders/x");
    leave();
    mesh.observe(named("third"));
    finish();
    await response.text();
    await until("the call has ended", () => ends.length >= 2);
    expect(ends).toEqual(["first", "second"]);
  });
});

describe("the events of an instance", () => {
  it("says which instance left the rotation, by which rule, once", async () => {
    const log: string[] = [];
    const mesh = closing(
      meshOf(
        { orders: await closedPort() },
        {
          breaker: { breakMs: 1 },
          observers: [
            {
              onEvent: (event) => {
                if (event.type === "instance-state" && event.former === "available") log.push(`${event.service}: ${event.rule}`);
              },
            },
          ],
        },
      ),
    );
    for (let count = 0; count < 5; count++) {
      await mesh.fetch("orders/x").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Probes that fail put it out again, but it was out already.
    expect(log).toEqual(["orders: connection refused"]);
  });
});
