import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { ServiceList } from "../../../src/discovery/file/service-list.ts";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";
import { Watcher } from "../../../src/discovery/watcher.ts";
import { type ContractEndpoint, discoveryContract } from "../../../src/testing/index.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { endpointsIn } from "../sources.ts";

describe("staticDiscovery", () => {
  const contract = discoveryContract(
    async () => {
      // A static list can't be changed: each watch is given one that is made of what has been set.
      const lists = new Map<string, readonly ContractEndpoint[]>();
      const current = () => staticDiscovery(Object.fromEntries(lists));
      return {
        discovery: {
          watch: (service, signal) => current().watch(service, signal),
          services: async (signal) => (await current().services?.(signal)) ?? [],
        },
        service: "orders",
        otherService: "users",
        set: async (endpoints, service = "orders") => void lists.set(service, endpoints),
        close: async () => {},
      };
    },
    { lacks: ["changes", "breaking"] },
  );
  for (const test of contract) it(test.name, test.run);

  it("fills in the id with host and port, brackets around IPv6", async () => {
    const list = {
      a: [
        { host: "10.0.0.1", port: 80 },
        { host: "::1", port: 81 },
        { id: "mine", host: "b.example", port: 82 },
      ],
    };
    expect((await firstOf(list, "a")).map(({ id }) => id)).toEqual(["10.0.0.1:80", "[::1]:81", "mine"]);
  });

  it("passes on everything that is said of an instance", async () => {
    const instance = { id: "i", host: "h", port: 1, secure: true, weight: 3, zone: "z", priority: 2, metadata: { version: "1" } };
    expect(await firstOf({ a: [instance] }, "a")).toEqual([instance]);
  });

  it("is not changed by what happens to the object it was made of", async () => {
    const instances = [{ host: "10.0.0.1", port: 80 }];
    const discovery = staticDiscovery({ a: instances });
    instances.push({ host: "10.0.0.2", port: 80 });
    (instances[0] as { port: number }).port = 9;
    for await (const yielded of discovery.watch("a", new AbortController().signal)) {
      expect(endpointsIn(yielded)).toEqual([{ id: "10.0.0.1:80", host: "10.0.0.1", port: 80 }]);
      break;
    }
  });

  it.each<[string, unknown, RegExp]>([
    [
      "a port of 0",
      {
        a: [
          { host: "h", port: 1 },
          { host: "h", port: 0 },
        ],
      },
      /staticDiscovery: a\[1\]: port .*"port":0/,
    ],
    ["a port that is a string", { a: [{ host: "h", port: "80" }] }, /a\[0\]: port .*"80"/],
    ["a port that is NaN", { a: [{ host: "h", port: Number.NaN }] }, /a\[0\]: port .*NaN/],
    ["no host", { a: [{ port: 80 }] }, /a\[0\]: host/],
    ["a URL as host", { a: [{ host: "http://h", port: 80 }] }, /a\[0\]: host .*http:\/\/h/],
    ["a weight below 0", { a: [{ host: "h", port: 80, weight: -1 }] }, /a\[0\]: weight .*-1/],
    ["a misspelt field", { a: [{ host: "h", port: 80, weigth: 1 }] }, /a\[0\]: unknown field "weigth"/],
    ["secure that is no boolean", { a: [{ host: "h", port: 80, secure: "no" }] }, /a\[0\]: secure .*"no"/],
    ["metadata that is no object of strings", { a: [{ host: "h", port: 80, metadata: { v: 1 } }] }, /a\[0\]: metadata .*"v":1/],
    [
      "two instances of one id",
      {
        a: [
          { host: "h", port: 80 },
          { host: "h", port: 80 },
        ],
      },
      /a\[1\]: id "h:80" occurs twice/,
    ],
    ["one instance instead of a list", { a: { host: "h", port: 80 } }, /a must be a list/],
    ["an address instead of an instance", { a: ["h:80"] }, /a\[0\]: expected \{ host, port \}, got "h:80"/],
    ["a service without a name", { "": [] }, /empty name/],
    ["a list instead of services", [], /expected an object/],
    ["nothing", undefined, /expected an object.*undefined/],
  ])("refuses %s at construction and says where", (_what, list, message) => {
    expect(() => staticDiscovery(list as ServiceList)).toThrow(TypeError);
    expect(() => staticDiscovery(list as ServiceList)).toThrow(message);
  });

  it("leaves no listener behind", async () => {
    const { signal } = new AbortController();
    for await (const _set of staticDiscovery({}).watch("a", signal));
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("never gets old: the watcher is told the same array every few seconds", async () => {
    const clock = virtualClock();
    const updates: (readonly Endpoint[])[] = [];
    const watcher = new Watcher({
      discovery: staticDiscovery({ a: [{ host: "10.0.0.1", port: 80 }] }),
      service: "a",
      clock,
      random: () => 0.5,
      onUpdate: ({ endpoints }) => updates.push(endpoints),
      onError: (error) => expect.fail(String(error)),
    });
    watcher.start();
    for (let minute = 0; minute < 60; minute++) {
      await clock.advance(59_999);
      expect(watcher.ageMs).toBeLessThanOrEqual(5_000);
      await clock.advance(1);
    }
    expect(new Set(updates.flat()).size).toBe(1);
    await watcher.stop();
    expect(clock.pending).toEqual([]);
  });
});

async function firstOf(list: ServiceList, service: string) {
  for await (const set of staticDiscovery(list).watch(service, new AbortController().signal)) return endpointsIn(set);
  throw new Error("no set");
}
