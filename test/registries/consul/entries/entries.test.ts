import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resultOf } from "../../../../src/core/json/steps.ts";
import { type EntryRules, endpointsOf as endpointsInSteps } from "../../../../src/registries/consul/entries/entries.ts";
import { entry } from "../scripted-consul.ts";

const rules: EntryRules = { tags: [], onlyPassing: false, addressKey: undefined, portName: undefined };
const endpointsOf = (entries: readonly unknown[], given: EntryRules) => resultOf(endpointsInSteps(entries, given));
const one = (overrides: Parameters<typeof entry>[1] = {}, changed: Partial<EntryRules> = {}) =>
  endpointsOf([entry(8081, overrides)], { ...rules, ...changed }).endpoints[0];
const status = (...statuses: string[]) => ({
  checks: statuses.map((Status, n) => ({ CheckID: `c${n}`, Status })),
  service: { Weights: { Passing: 10, Warning: 2 } },
});

describe("entries of a Consul answer", () => {
  it("become endpoints", () => {
    expect(one()).toEqual({
      id: "node-1/orders-8081",
      host: "127.0.0.1",
      port: 8081,
      weight: 1,
      zone: "dc1",
      region: "dc1",
      metadata: { node: "node-1" },
    });
  });

  it("are in with the weight of their worst check and out when one is critical", () => {
    expect(one(status("passing", "passing"))?.weight).toBe(10);
    expect(one(status("passing", "warning", "passing"))?.weight).toBe(2);
    expect(one(status("warning", "critical"))).toBeUndefined();
    expect(one({ checks: [] })?.port).toBe(8081);
  });

  it("are out when a check has an unknown status", () => {
    for (const unknown of ["", "maintenance", "PASSING"]) expect(one(status("passing", unknown))).toBeUndefined();
    expect(one({ checks: [{ CheckID: "c" }] })).toBeUndefined();
    expect(one({ checks: "passing" })).toBeUndefined();
  });

  it("are out while their node or their service is in maintenance, whatever the status of that check", () => {
    for (const CheckID of ["_node_maintenance", "_service_maintenance:orders-8081"]) {
      expect(one({ checks: [{ CheckID, Status: "critical" }] })).toBeUndefined();
      expect(one({ checks: [{ CheckID, Status: "passing" }] })).toBeUndefined();
    }
  });

  it("with a warning are out with onlyPassing", () => {
    expect(one(status("warning"), { onlyPassing: true })).toBeUndefined();
    expect(one(status("passing"), { onlyPassing: true })).toBeDefined();
  });

  it("have weights from 1 to 65535 whatever the registry says", () => {
    const weight = (Passing: unknown) => one({ service: { Weights: { Passing, Warning: 1 } } })?.weight;
    expect([0, -5, 1e9, 2.9, "7", null, undefined].map(weight)).toEqual([1, 1, 65_535, 2, 1, 1, 1]);
    expect(one({ service: { Weights: null } })?.weight).toBe(1);
  });

  it("have the node's address when the service has none, and none without either", () => {
    expect(one({ service: { Address: "" } })?.host).toBe("10.0.0.1");
    expect(one({ service: { Address: "" }, node: { Address: "" } })).toBeUndefined();
  });

  it("have the tagged address of the service, else of the node, else the plain one", () => {
    const wan = { addressKey: "wan" };
    expect(one({ service: { TaggedAddresses: { wan: { Address: "203.0.113.9", Port: 443 } } } }, wan)).toMatchObject({
      host: "203.0.113.9",
      port: 443,
    });
    expect(one({ service: { TaggedAddresses: { wan: { address: "203.0.113.9", port: 443 } } } }, wan)).toMatchObject({
      host: "203.0.113.9",
      port: 443,
    });
    expect(one({ service: { TaggedAddresses: { wan: { Address: "203.0.113.9", Port: 0 } } } }, wan)).toMatchObject({
      host: "203.0.113.9",
      port: 8081,
    });
    expect(one({ node: { TaggedAddresses: { wan: "203.0.113.1" } } }, wan)).toMatchObject({ host: "203.0.113.1", port: 8081 });
    expect(one({ service: { TaggedAddresses: { lan: { Address: "10.9.9.9", Port: 1 } } } }, wan)).toMatchObject({
      host: "127.0.0.1",
      port: 8081,
    });
    expect(one({}, { addressKey: "__proto__" })).toMatchObject({ host: "127.0.0.1", port: 8081 });
  });

  it("without a port from 1 to 65535 are left out", () => {
    for (const Port of [0, -1, 65_536, 80.5, "80", null]) expect(one({ service: { Port } })).toBeUndefined();
  });

  it("that are no endpoints are named with their reasons, and with who has said so", () => {
    const leftOut = (overrides: Parameters<typeof entry>[1], changed: Partial<EntryRules> = {}) =>
      endpointsOf([entry(8081, overrides)], { ...rules, ...changed }).leftOut[0];
    const own = { CheckID: "http", ServiceID: "orders-8081", Status: "critical" };
    const node = { CheckID: "serfHealth", ServiceID: "", Status: "critical" };
    const expired = { ...own, Output: "TTL expired (last output before timeout follows): fine" };
    expect(leftOut({ checks: [{ CheckID: "_node_maintenance", Status: "critical" }, node] })).toEqual({
      id: "node-1/orders-8081",
      reason: "in maintenance",
      withdrawn: true,
    });
    expect(leftOut({ checks: [node, own] })).toMatchObject({ reason: "critical by a check of its own", withdrawn: true });
    expect(leftOut({ checks: [node] })).toMatchObject({ reason: "critical by a check of its node", withdrawn: false });
    expect(leftOut({ checks: [expired] })).toMatchObject({ reason: expect.stringMatching(/renewed/), withdrawn: false });
    expect(leftOut({ service: { Port: 0 } })).toEqual({ id: "node-1/orders-8081", reason: expect.stringMatching(/no port/) });
    expect(leftOut({}, { tags: ["v2"] })).toMatchObject({ reason: expect.stringMatching(/tag/) });
    expect(leftOut(status("warning"), { onlyPassing: true })).toMatchObject({ reason: expect.stringMatching(/onlyPassing/) });
    expect(leftOut({ node: { Node: "" } })).toEqual({ reason: "no id" });
  });

  it("must have all tags asked for", () => {
    const service = { Tags: ["v2", "eu"] };
    expect(one({ service }, { tags: ["eu", "v2"] })?.metadata).toEqual({ tags: "v2,eu", node: "node-1" });
    expect(one({ service }, { tags: ["eu", "v3"] })).toBeUndefined();
    expect(one({ service: { Tags: null } }, { tags: ["eu"] })).toBeUndefined();
  });

  it("are secure when metadata or a tag says so, and metadata wins", () => {
    expect(one({ service: { Meta: { secure: "true" } } })?.secure).toBe(true);
    expect(one({ service: { Meta: { scheme: "https" } } })?.secure).toBe(true);
    expect(one({ service: { Tags: ["https"] } })?.secure).toBe(true);
    expect(one({ service: { Tags: ["https"], Meta: { secure: "false" } } })?.secure).toBeUndefined();
    expect(one()?.secure).toBeUndefined();
  });

  it("have the zone of their metadata, else of their node's, else the datacentre", () => {
    expect(one({ service: { Meta: { zone: "a" } }, node: { Meta: { zone: "b" } } })?.zone).toBe("a");
    expect(one({ node: { Meta: { zone: "b" } } })?.zone).toBe("b");
    expect(one({ node: { Datacenter: "" } })?.zone).toBeUndefined();
  });

  it("have the region of their node's metadata, else of their own, else the datacentre", () => {
    const own = { service: { Meta: { region: "a" } } };
    expect(one({ ...own, node: { Meta: { region: "b" } } })?.region).toBe("b");
    expect(one(own)?.region).toBe("a");
    expect(one({ service: { Meta: { zone: "a" } } })?.region).toBe("dc1");
    expect(one({ node: { Datacenter: undefined } })).not.toHaveProperty("region");
  });

  it.each(["", " eu", "eu\n", "e".repeat(300), 7])(
    "have no region where %j is said to be one, and are endpoints all the same",
    (region) => {
      expect(one({ service: { Meta: { region } } })).toMatchObject({ port: 8081, region: "" });
    },
  );

  it("keep metadata of any name without touching a prototype", () => {
    const meta = JSON.parse('{"__proto__":"x","constructor":"y","version":"2","tags":"own","bad":7}') as object;
    const metadata = one({ service: { Meta: meta, Tags: ["a"] } })?.metadata ?? {};
    expect(Object.entries(metadata)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
      ["version", "2"],
      ["tags", "own"],
      ["node", "node-1"],
    ]);
    expect(Object.getPrototypeOf(metadata)).toBeNull();
    expect(({} as Record<string, unknown>)["version"]).toBeUndefined();
  });

  it("lose the metadata that is too long, and only that", () => {
    const metadata = one({ service: { Meta: { version: "2" }, Tags: ["x".repeat(20_000)] } })?.metadata;
    expect(metadata).toEqual({ version: "2", node: "node-1" });
  });

  it("that make no sense leave the others in", () => {
    const bad = [
      null,
      7,
      "x",
      [],
      {},
      { Service: {} },
      { Service: { ID: "a", Port: 80 }, Node: null },
      { ...(entry(1) as object), Node: { Node: "" } },
    ];
    expect(endpointsOf([...bad, entry(8081), ...bad, entry(8082)], rules).endpoints.map(({ port }) => port)).toEqual([8081, 8082]);
  });

  it("have different ids on different nodes", () => {
    const { endpoints: both } = endpointsOf([entry(8081), entry(8081, { node: { Node: "node-2" } })], rules);
    expect(new Set(both.map(({ id }) => id)).size).toBe(2);
  });

  it("never make it throw, whatever JSON they are", () => {
    const mutated = fc
      .tuple(fc.constantFrom("Node", "Service", "Checks"), fc.jsonValue())
      .map(([key, value]) => ({ ...(entry(8081) as object), [key]: value }));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), mutated)), (entries) => {
        for (const { host, port, weight } of endpointsOf(entries, { ...rules, addressKey: "wan" }).endpoints) {
          expect(typeof host).toBe("string");
          expect(port >= 1 && port <= 65_535 && (weight ?? 0) >= 1 && (weight ?? 0) <= 65_535).toBe(true);
        }
      }),
    );
  });

  describe("of a service with several ports", () => {
    const ports = (...list: readonly object[]) => ({ service: { Port: 0, Ports: list } });
    const both = ports({ Name: "http", Port: 8_080, Default: true }, { Name: "grpc", Port: 9_090 });
    const reason = (overrides: Parameters<typeof entry>[1], changed: Partial<EntryRules> = {}) =>
      endpointsOf([entry(0, overrides)], { ...rules, ...changed }).leftOut;

    it("have the default one, or the only one, or the one of the name", () => {
      expect(one(both)?.port).toBe(8_080);
      expect(one(ports({ Name: "http", Port: 8_080 }))?.port).toBe(8_080);
      expect(one(both, { portName: "grpc" })?.port).toBe(9_090);
      expect(one({ service: { Ports: [{ Name: "grpc", Port: 9_090 }] } }, { portName: "grpc" })?.port).toBe(9_090);
    });

    it("have the single port of instances that were registered without names", () => {
      expect(one({}, { portName: "grpc" })?.port).toBe(8_081);
      expect(one({ service: { Ports: [] } }, { portName: "grpc" })?.port).toBe(8_081);
      expect(one({ service: { Ports: null } }, { portName: "grpc" })?.port).toBe(8_081);
    });

    it("are left out with the reason where none can be chosen", () => {
      expect(reason(both, { portName: "metrics" })).toMatchObject([{ reason: 'no port named "metrics"' }]);
      expect(reason(ports({ Name: "a", Port: 1 }, { Name: "b", Port: 2 }))).toMatchObject([
        { reason: "several ports, none of which is the default (portName chooses one)" },
      ]);
      expect(reason(ports({ Name: "http", Port: 70_000, Default: true }))).toMatchObject([{ reason: "no port from 1 to 65535" }]);
      expect(reason(ports())).toMatchObject([{ reason: "no port from 1 to 65535" }]);
      expect(reason({ service: { Port: 0, Ports: [null, 7, "x"] } })).toHaveLength(1);
    });
  });
});
