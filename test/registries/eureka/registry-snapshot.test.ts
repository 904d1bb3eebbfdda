import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { keepIfSame } from "../../../src/discovery/same-endpoints.ts";
import type { EntryOptions } from "../../../src/registries/eureka/entry.ts";
import { RegistrySnapshot } from "../../../src/registries/eureka/registry-snapshot.ts";
import { listedInstance, registryOf } from "./scripted-eureka.ts";

const defaults: EntryOptions = { by: "app", preferSecure: false, preferHostName: false };
const read = (text: string, options: Partial<EntryOptions> = {}): Promise<RegistrySnapshot> =>
  RegistrySnapshot.read(Buffer.from(text), { ...defaults, ...options });
const find = async (snapshot: Promise<RegistrySnapshot>, service: string): Promise<readonly Endpoint[]> =>
  (await (await snapshot).find(service)).endpoints;
const only = async (overrides: Readonly<Record<string, unknown>>, options: Partial<EntryOptions> = {}) =>
  (await find(read(registryOf(listedInstance(overrides)), options), "users"))[0];

describe("a snapshot of the Eureka registry", () => {
  it("finds an application in upper or lower case", async () => {
    const snapshot = await read(registryOf(listedInstance()));
    for (const name of ["users", "USERS", "Users"]) expect((await snapshot.find(name)).endpoints).toHaveLength(1);
    expect((await snapshot.find("orders")).endpoints).toEqual([]);
  });

  it("lists application names in lower case, and virtual host names as they are", async () => {
    const text = registryOf(listedInstance(), listedInstance({ app: "ORDERS", vipAddress: "Orders.example,users" }));
    expect((await read(text)).services()).toEqual(["users", "orders"]);
    expect((await read(text, { by: "vip" })).services()).toEqual(["users", "Orders.example"]);
  });

  it("takes an instance that is UP and no other", async () => {
    for (const status of ["DOWN", "STARTING", "OUT_OF_SERVICE", "UNKNOWN", "up", undefined]) expect(await only({ status })).toBeUndefined();
    expect(await only({ status: "UP" })).toMatchObject({ id: "host:users:8080", host: "127.0.0.1", port: 8080 });
  });

  it("says why an entry is left out, and whether the instance or an operator said so", async () => {
    const leftOut = async (overrides: Readonly<Record<string, unknown>>) =>
      (await (await read(registryOf(listedInstance(overrides)))).find("Users")).leftOut[0];
    for (const status of ["DOWN", "STARTING", "OUT_OF_SERVICE"])
      expect(await leftOut({ status })).toEqual({ id: "host:users:8080", reason: `status ${status}`, withdrawn: true });
    expect(await leftOut({ status: "UNKNOWN" })).toEqual({ id: "host:users:8080", reason: "a status that is not UP" });
    expect(await leftOut({ port: { $: 0, "@enabled": "true" } })).toEqual({
      id: "host:users:8080",
      reason: expect.stringMatching(/no port/),
    });
    expect(await leftOut({ port: { $: 80, "@enabled": "false" }, instanceId: 7 })).toEqual({ reason: expect.stringMatching(/no port/) });
    expect(await leftOut({})).toBeUndefined();
  });

  it("reads lists of one that are written as the thing itself", async () => {
    const text = JSON.stringify({ applications: { application: { name: "USERS", instance: listedInstance() } } });
    expect(await find(read(text), "users")).toHaveLength(1);
  });

  it.each([
    { applications: { versions__delta: "1", apps__hashcode: "", application: [] } },
    { applications: { versions__delta: 1, apps__hashcode: "" } },
    { applications: { application: { name: "USERS", instance: [] } } },
    { applications: { application: { name: "USERS" } } },
  ])("takes %j for an empty registry", async (registry) => {
    expect(await find(read(JSON.stringify(registry)), "users")).toEqual([]);
  });

  it.each(["", "<html>", "null", "[]", "{}", '{"applications":{}}', '{"applications":[]}', '{"applications":"x"}', '"x"', "{"])(
    "takes %j for no registry at all",
    async (text) => {
      await expect(read(text)).rejects.toThrow(/^answered with/);
    },
  );

  it.each([true, "true", "True", 1, "1"])("takes a port that is enabled with %j", async (enabled) => {
    expect(await only({ port: { $: "8080", "@enabled": enabled } })).toMatchObject({ port: 8080 });
  });

  it("takes a bare number, and a port that does not say whether it is enabled", async () => {
    expect(await only({ port: 8081, securePort: undefined })).toMatchObject({ port: 8081 });
    expect(await only({ port: { $: 8082 } })).toMatchObject({ port: 8082 });
    expect(await only({ securePort: { $: 8443 } }, { preferSecure: true })).not.toHaveProperty("secure");
  });

  it.each([0, 65_536, -1, 80.5, "80; rm", "0x50", "", null, true, {}, []])("leaves out an instance whose port is %j", async (port) => {
    expect(await only({ port: { $: port, "@enabled": "true" } })).toBeUndefined();
  });

  it("takes the secure port where it is the only one, or is preferred", async () => {
    const secure = { securePort: { $: 8443, "@enabled": "true" } };
    expect(await only(secure)).not.toHaveProperty("secure");
    expect(await only(secure, { preferSecure: true })).toMatchObject({ port: 8443, secure: true });
    expect(await only({ ...secure, port: { $: 8080, "@enabled": false } })).toMatchObject({ port: 8443, secure: true });
    expect(await only({ port: { $: 8080, "@enabled": "false" } })).toBeUndefined();
  });

  it("takes the address, the host name where that is preferred, and the other where one is missing or bad", async () => {
    expect(await only({})).toMatchObject({ host: "127.0.0.1" });
    expect(await only({}, { preferHostName: true })).toMatchObject({ host: "users-1.internal" });
    expect(await only({ ipAddr: "" })).toMatchObject({ host: "users-1.internal" });
    expect(await only({ ipAddr: "169.254.169.254" })).toMatchObject({ host: "users-1.internal" });
    expect(await only({ ipAddr: "[::1]" })).toMatchObject({ host: "::1" });
    expect(await only({ hostName: "a b" }, { preferHostName: true })).toMatchObject({ host: "127.0.0.1" });
  });

  it.each([
    "",
    "a/b",
    "a@b",
    "a b",
    "a:80",
    "2130706433",
    "0x7f000001",
    "1.2.3.4.5",
    "169.254.169.254",
    "::ffff:10.0.0.1",
    "-a",
    "a\n",
    "ａ",
    7,
    null,
  ])("leaves out an instance whose only host is %j", async (host) => {
    expect(await only({ ipAddr: host, hostName: host })).toBeUndefined();
  });

  it("makes an id of host, application and port where there is none", async () => {
    for (const instanceId of [undefined, "", "a\nb", 7, "x".repeat(513)])
      expect(await only({ instanceId })).toMatchObject({ id: "127.0.0.1:USERS:8080" });
  });

  it("keeps two instances of one host and port apart", async () => {
    const text = registryOf(listedInstance({ instanceId: "one" }), listedInstance({ instanceId: "two" }));
    expect((await find(read(text), "users")).map(({ id }) => id)).toEqual(["one", "two"]);
  });

  it("keeps instances of two applications apart that share an id and a virtual host name", async () => {
    const text = registryOf(listedInstance(), listedInstance({ app: "ORDERS", port: { $: 9090, "@enabled": "true" } }));
    const endpoints = await find(read(text, { by: "vip" }), "users");
    expect(endpoints.map(({ id, port }) => [id, port])).toEqual([
      ["ORDERS/host:users:8080", 9090],
      ["host:users:8080", 8080],
    ]);
  });

  it("finds an instance by any of its virtual host names", async () => {
    const snapshot = await read(registryOf(listedInstance({ vipAddress: "a.example, B.example", secureVipAddress: "c.example" })), {
      by: "vip",
    });
    for (const name of ["A.example", "b.example", "c.example"]) expect((await snapshot.find(name)).endpoints).toHaveLength(1);
    expect((await snapshot.find("users")).endpoints).toEqual([]);
  });

  it("turns metadata into text and leaves out what is none", async () => {
    const metadata = JSON.parse('{"@class":"x","b":2,"a":true,"c":null,"d":{},"__proto__":"p"}') as Readonly<Record<string, unknown>>;
    const kept = (await only({ metadata }))?.metadata ?? {};
    expect(Object.entries(kept).sort()).toEqual([
      ["__proto__", "p"],
      ["a", "true"],
      ["b", "2"],
    ]);
    expect(await only({})).not.toHaveProperty("metadata");
    expect(await only({ metadata: "x" })).not.toHaveProperty("metadata");
  });

  it("looks at 4,096 fields of metadata at most, of more at those with the shortest names", async () => {
    const fields = Array.from({ length: 5_000 }, (_, at) => [`name-${at}`, ""] as const);
    const metadata = Object.fromEntries([...fields, ["zone", "z"], ["weight", "3"]]);
    const backwards = Object.fromEntries(Object.entries(metadata).reverse());
    const found = await only({ metadata });
    expect(found).toMatchObject({ zone: "z", weight: 3, metadata: { zone: "z", "name-999": "" } });
    expect(Object.keys(found?.metadata ?? {}).length).toBe(1_002);
    expect((await only({ metadata: backwards }))?.metadata).toEqual(found?.metadata);
  });

  it("keeps no more than 16 KiB of metadata", async () => {
    expect((await only({ metadata: { a: "x", big: "y".repeat(20_000), zone: "z" } }))?.metadata).toEqual({ a: "x", zone: "z" });
  });

  it.each([
    ["3", 3],
    ["0", 1],
    ["-1", 1],
    ["1e9", 65_535],
    ["Infinity", 65_535],
    ["2.5", 2.5],
  ])("takes a weight of %j for %d", async (weight, expected) => {
    expect(await only({ metadata: { weight } })).toMatchObject({ weight: expected });
  });

  it.each(["NaN", "", " ", "heavy"])("takes a weight of %j for none", async (weight) => {
    expect(await only({ metadata: { weight } })).not.toHaveProperty("weight");
  });

  it("takes the zone from the metadata, else from the data centre", async () => {
    const dataCenterInfo = { name: "Amazon", metadata: { "availability-zone": "us-east-1a" } };
    expect(await only({ dataCenterInfo })).toMatchObject({ zone: "us-east-1a" });
    expect(await only({ dataCenterInfo, metadata: { zone: "z" } })).toMatchObject({ zone: "z" });
    expect(await only({ metadata: { zone: "\n" } })).not.toHaveProperty("zone");
  });

  it("lists the same endpoints for the same instances in another order", async () => {
    const one = listedInstance({ instanceId: "one", metadata: { a: "1", b: "2" } });
    const two = listedInstance({ instanceId: "two" });
    const endpoints = await find(read(registryOf(one, two)), "users");
    const reordered = await find(read(registryOf(two, { ...one, metadata: { b: "2", a: "1" }, lastUpdatedTimestamp: "7" })), "users");
    expect(reordered).toEqual(endpoints);
    expect(keepIfSame(endpoints, reordered)).toBe(endpoints);
    expect(await find(read(registryOf(two)), "users")).not.toEqual(endpoints);
  });

  it.each([
    listedInstance({ vipAddress: "__proto__" }),
    listedInstance({ vipAddress: "constructor", secureVipAddress: "toString" }),
    listedInstance({ vipAddress: 7 }),
    listedInstance({ app: undefined, instanceId: "poison" }),
    listedInstance({ app: "__PROTO__" }),
    listedInstance({ app: 7, instanceId: "poison" }),
    listedInstance({ app: "", instanceId: "poison" }),
    null,
    "text",
    [],
    {},
  ])("loses nothing else to the poisoned entry %j", async (poison) => {
    const application = [
      { name: "USERS", instance: [poison, listedInstance({ instanceId: "good" })] },
      { name: poison === null ? null : (poison as { app?: unknown }).app, instance: poison },
      poison,
    ];
    const text = JSON.stringify({ applications: { application } });
    expect((await find(read(text), "users")).map(({ id }) => id)).toContain("good");
    expect((await find(read(text, { by: "vip" }), "users")).map(({ id }) => id)).toContain("good");
    for (const name of ["__proto__", "constructor", "toString"])
      expect(Array.isArray(await find(read(text, { by: "vip" }), name))).toBe(true);
  });

  it("leaves out an entry that calls itself another application", async () => {
    const text = JSON.stringify({ applications: { application: { name: "USERS", instance: [listedInstance({ app: "ORDERS" })] } } });
    expect(await find(read(text), "users")).toEqual([]);
    expect(await find(read(text), "orders")).toEqual([]);
  });
});
