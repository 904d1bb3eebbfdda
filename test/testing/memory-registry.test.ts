import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { discoveryContract, memoryRegistry, registrarContract } from "../../src/testing/index.ts";

describe("memoryRegistry as a discovery", () => {
  const contract = discoveryContract(
    async () => {
      const registry = memoryRegistry();
      return {
        discovery: registry,
        service: "orders",
        otherService: "users",
        set: async (endpoints, service = "orders") => registry.set(service, endpoints),
        breakSource: async () => registry.fail(),
        healSource: async () => registry.heal(),
        close: async () => expect(registry.watches).toBe(0),
        withinMs: 1_000,
      };
    },
    { lacks: ["confirmations"] },
  );
  for (const test of contract) it(test.name, test.run);
});

describe("memoryRegistry as a registrar", () => {
  const contract = registrarContract(async () => {
    const registry = memoryRegistry();
    return {
      registrar: registry,
      instance: { service: "orders", host: "127.0.0.1", port: 8080 },
      listed: async () => registry.endpoints("orders"),
      forget: async () => registry.forget(),
      close: async () => {},
      withinMs: 1_000,
    };
  });
  for (const test of contract) it(test.name, test.run);
});

describe("memoryRegistry", () => {
  it("tells a watcher of a change within the same turn of the event loop", async () => {
    const registry = memoryRegistry();
    const controller = new AbortController();
    const sets: number[] = [];
    const reading = (async () => {
      for await (const set of registry.watch("orders", controller.signal)) sets.push(set.length);
    })();
    await turn();
    let isNextTurn = false;
    setImmediate(() => {
      isNextTurn = true;
    });
    registry.add("orders", { host: "127.0.0.1", port: 1 });
    for (let microtask = 0; microtask < 10; microtask++) await undefined;
    expect(sets).toEqual([0, 1]);
    expect(isNextTurn).toBe(false);
    controller.abort();
    await reading;
  });

  it("replaces an instance of the same id and removes by id", () => {
    const registry = memoryRegistry();
    registry.add("orders", { id: "a", host: "127.0.0.1", port: 1 });
    registry.add("orders", { id: "a", host: "127.0.0.1", port: 2 });
    expect(registry.endpoints("orders")).toEqual([{ id: "a", host: "127.0.0.1", port: 2 }]);
    expect(registry.remove("orders", "b")).toBe(false);
    expect(registry.remove("orders", "a")).toBe(true);
    expect(registry.endpoints("orders")).toEqual([]);
  });

  it("refuses an instance that is none, naming service and value", () => {
    const registry = memoryRegistry();
    expect(() => registry.add("orders", { host: "127.0.0.1", port: 0 })).toThrow(/memoryRegistry: orders\[0\]: port.*0/);
    expect(() => registry.set("orders", [{ host: "http://x", port: 1 }])).toThrow(/host.*http:\/\/x/);
    expect(registry.endpoints("orders")).toEqual([]);
  });

  it("refuses to register while it fails, with the cause", async () => {
    const registry = memoryRegistry();
    const cause = new Error("no leader");
    registry.fail(cause);
    await expect(registry.register({ service: "orders", port: 1 })).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      service: "orders",
      cause,
    });
    await expect(registry.services()).rejects.toBe(cause);
  });

  it("brings registrations back once it heals when it has forgotten them while it failed", async () => {
    const registry = memoryRegistry();
    await registry.register({ service: "orders", host: "127.0.0.1", port: 1 });
    registry.fail();
    registry.forget();
    await turn();
    expect(registry.endpoints("orders")).toEqual([]);
    registry.heal();
    expect(registry.endpoints("orders")).toHaveLength(1);
  });

  it("keeps the newer of two registrations of one id when the older leaves", async () => {
    const registry = memoryRegistry();
    const older = await registry.register({ service: "orders", id: "a", port: 1 });
    await registry.register({ service: "orders", id: "a", port: 2 });
    await older.setStatus("down");
    expect(registry.endpoints("orders").map(({ port }) => port)).toEqual([2]);
    await older.deregister();
    expect(registry.endpoints("orders").map(({ port }) => port)).toEqual([2]);
  });

  it("keeps an instance listed whose deregistration was given up, and takes it out when asked again", async () => {
    const registry = memoryRegistry();
    const registration = await registry.register({ service: "orders", id: "a", port: 1 });
    const reason = new Error("given up");
    await expect(registration.deregister(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(registry.endpoints("orders")).toHaveLength(1);
    await registration.deregister();
    expect(registry.endpoints("orders")).toEqual([]);
  });

  it("leaves no watch and no listener behind", async () => {
    const registry = memoryRegistry();
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _set of registry.watch("orders", controller.signal)) registry.set("users", [{ host: "127.0.0.1", port: 1 }]);
    })();
    await turn();
    for (let change = 0; change < 100; change++) {
      registry.set("users", []);
      await turn();
    }
    expect(registry.watches).toBe(1);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    await reading;
    expect(registry.watches).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
