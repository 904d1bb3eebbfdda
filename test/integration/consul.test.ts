import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { Registration } from "../../src/registration/registrar.ts";
import { type Consul, type ConsulOptions, consul } from "../../src/registries/consul.ts";
import { WatchReader } from "../../src/testing/contract/watch-reader.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, type ConsulOptions as ServerOptions, startConsul } from "../servers/consul.ts";
import { until } from "../support/until.ts";

const withinMs = 15_000;
const timeout = 60_000;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

async function start(options: ServerOptions = {}): Promise<ConsulServer> {
  const server = await startConsul(options);
  cleanups.push(() => server.stop());
  return server;
}

function adapterFor(server: Pick<ConsulServer, "url">, options: ConsulOptions = {}): Consul {
  const adapter = consul({ url: server.url, minIntervalMs: 20, requestTimeoutMs: 2_000, ...options });
  cleanups.push(() => adapter.close());
  return adapter;
}

function read(adapter: Consul, service = "orders"): WatchReader {
  const reader = new WatchReader(adapter, service);
  cleanups.push(() => reader.stop());
  return reader;
}

/** A service with one TTL check that passes. */
const orders = (port: number, fields: object = {}) => ({
  Name: "orders",
  ID: `orders-${port}`,
  Address: "127.0.0.1",
  Port: port,
  Check: { TTL: "600s", Status: "passing" },
  ...fields,
});

const ascending = (one: number, other: number): number => one - other;
const portsOf = (set: readonly Endpoint[]): number[] => set.map(({ port }) => port).sort(ascending);
const untilPorts = (reader: WatchReader, ...ports: number[]): Promise<readonly Endpoint[]> =>
  reader.until(`the ports [${ports.join(", ")}]`, (set) => portsOf(set).join() === ports.join(), withinMs);

/** The routable instances, read from the registry. */
async function listed(server: ConsulServer, service = "orders"): Promise<number[]> {
  const entries = (await server.get(`/v1/health/service/${service}?passing=1`)) as { Service: { Port: number } }[];
  return entries.map(({ Service }) => Service.Port).sort(ascending);
}

const untilListed = (server: ConsulServer, ...ports: number[]): Promise<unknown> =>
  until(`[${ports.join(", ")}] are listed`, async () => (await listed(server).catch(() => ["down"])).join() === ports.join(), withinMs);

const disposed = (registration: Registration): Registration => {
  cleanups.push(() => registration.deregister().catch(() => {}));
  return registration;
};

describe.skipIf(!available("consul"))("discovery through a real Consul", { timeout }, () => {
  it("follows checks, weights and maintenance", async () => {
    const server = await start();
    await server.registerService(orders(8081, { Weights: { Passing: 10, Warning: 2 } }));
    await server.registerService(orders(8082));
    const adapter = adapterFor(server);
    const reader = read(adapter);
    const careful = read(adapterFor(server, { onlyPassing: true }));
    await untilPorts(reader, 8081, 8082);
    const weight = (): number | undefined => reader.last?.find(({ port }) => port === 8081)?.weight;
    expect(weight()).toBe(10);

    await server.setCheck("service:orders-8081", "warning");
    await until("the weight of a warning", () => weight() === 2);
    await untilPorts(careful, 8082);
    await server.setCheck("service:orders-8081", "critical");
    await untilPorts(reader, 8082);
    await server.setCheck("service:orders-8081", "passing");
    await untilPorts(reader, 8081, 8082);
    await untilPorts(careful, 8081, 8082);
    expect(weight()).toBe(10);

    await server.setMaintenance("orders-8082", true);
    await untilPorts(reader, 8081);
    await server.setMaintenance("orders-8082", false);
    await untilPorts(reader, 8081, 8082);
    await server.put("/v1/agent/maintenance?enable=true");
    await untilPorts(reader);
    await server.put("/v1/agent/maintenance?enable=false");
    await untilPorts(reader, 8081, 8082);
    expect(reader.failed).toBe(false);
  });

  it("tells what Consul knows of an instance", async () => {
    const server = await start();
    await server.registerService(
      orders(8081, {
        Tags: ["v2", "https"],
        Meta: { version: "2", zone: "a" },
        TaggedAddresses: { wan: { Address: "203.0.113.9", Port: 443 } },
      }),
    );
    await server.registerService(orders(8082, { Address: "" }));
    await server.registerService(orders(8083, { Port: 0, ID: "portless" }));
    const adapter = adapterFor(server);
    const set = await read(adapter).first(withinMs);
    expect(new Set(set)).toEqual(
      new Set([
        {
          id: "test-node/orders-8081",
          host: "127.0.0.1",
          port: 8081,
          secure: true,
          weight: 1,
          zone: "a",
          region: "dc1",
          metadata: { version: "2", zone: "a", tags: "v2,https", node: "test-node" },
        },
        {
          id: "test-node/orders-8082",
          host: "127.0.0.1",
          port: 8082,
          weight: 1,
          zone: "dc1",
          region: "dc1",
          metadata: { node: "test-node" },
        },
      ]),
    );
    expect(await read(adapterFor(server, { addressKey: "wan", tags: ["v2", "https"] })).first(withinMs)).toMatchObject([
      { host: "203.0.113.9", port: 443 },
    ]);
    expect(await read(adapterFor(server, { tags: ["v2", "v3"] })).first(withinMs)).toEqual([]);
    expect(portsOf(await read(adapterFor(server, { filter: "Service.Port == 8082" })).first(withinMs))).toEqual([8082]);
    expect(
      portsOf(await read(adapterFor(server, { near: "_agent", consistency: "consistent", datacenter: "dc1" })).first(withinMs)),
    ).toEqual([8081, 8082]);
    const elsewhere = read(adapterFor(server, { datacenter: "dc9" }));
    await elsewhere.untilFailed(withinMs);
    expect(String(elsewhere.error)).toMatch(/HTTP 500: .*(No path to datacenter|remote)/i);
    expect(new Set(await adapter.services(new AbortController().signal))).toEqual(new Set(["consul", "orders"]));
  });

  it("finds a service whatever the case of its name, as Consul does", async () => {
    const server = await start();
    await server.registerService(orders(8081));
    expect(portsOf(await read(adapterFor(server), "ORDERS").first(withinMs))).toEqual([8081]);
  });

  it("never takes a wait that was in vain for a change", async () => {
    const server = await start();
    await server.registerService(orders(8081));
    await untilListed(server, 8081);
    // With so short a wait Consul's streaming backend has often nothing yet when the wait is over, and answers with nothing.
    for (let start = 0; start < 10; start++) {
      const reader = read(adapterFor(server, { waitMs: 1, tags: [], filter: `Service.Port != ${start}` }));
      await until("the first set", () => reader.sets.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(reader.changes.map(portsOf)).toEqual([[8081]]);
      await reader.stop();
    }
    const reader = read(adapterFor(server, { waitMs: 1 }));
    await untilPorts(reader, 8081);
    await server.registerService(orders(8082));
    await untilPorts(reader, 8081, 8082);
  });

  it("fails at once when the agent is killed in mid query, and finds everything after a restart without data", async () => {
    const server = await start();
    await server.registerService(orders(8081));
    const adapter = adapterFor(server);
    const before = read(adapter);
    await untilPorts(before, 8081);
    await server.kill();
    await before.untilFailed(withinMs);
    expect(before.error).toMatchObject({ code: "ERR_MESH_DISCOVERY" });
    const without = read(adapter);
    await without.untilFailed(withinMs);
    expect(String(without.error)).toMatch(/ECONNREFUSED/);
    expect(without.sets).toEqual([]);
    await server.restart();
    const after = read(adapter);
    expect(await after.first(withinMs)).toEqual([]);
    await server.registerService(orders(8082));
    await untilPorts(after, 8082);
  });

  it("gives up an agent that stands still, in a blocking query and in the first", async () => {
    const server = await start();
    await server.registerService(orders(8081));
    // wait + wait/16 + 5 s
    const adapter = adapterFor(server, { waitMs: 200, requestTimeoutMs: 500 });
    const reader = read(adapter);
    await untilPorts(reader, 8081);
    server.pause();
    await reader.untilFailed(withinMs);
    expect(String(reader.error)).toMatch(/no answer within 5213 ms/);
    const first = read(adapter);
    await first.untilFailed(withinMs);
    expect(String(first.error)).toMatch(/no answer within 500 ms/);
    server.resume();
    await untilPorts(read(adapter), 8081);
  });

  it("never takes what a token may not see for an empty service, and takes the next token from its file", async () => {
    const server = await start({ acl: true });
    await server.registerService(orders(8081));
    const rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }';
    await server.put("/v1/acl/policy", { Name: "reader", Rules: rules });
    const tokenOf = async (policies: readonly string[]): Promise<{ SecretID: string; AccessorID: string }> =>
      (await server.put("/v1/acl/token", { Policies: policies.map((Name) => ({ Name })) })) as { SecretID: string; AccessorID: string };
    const blind = await tokenOf([]);
    const reading = await tokenOf(["reader"]);

    const unseeing = read(adapterFor(server, { token: blind.SecretID }));
    await unseeing.untilFailed(withinMs);
    expect(unseeing.sets).toEqual([]);
    expect(String(unseeing.error)).toMatch(/filtered by ACLs/);

    const directory = await mkdtemp(join(tmpdir(), "inmesh-token-"));
    cleanups.push(() => rm(directory, { recursive: true }));
    const file = join(directory, "token");
    const write = async (token: string): Promise<void> => {
      await writeFile(`${file}.new`, `${token}\n`);
      await rename(`${file}.new`, file);
    };
    await write(reading.SecretID);
    const adapter = adapterFor(server, { token: { file } });
    await untilPorts(read(adapter), 8081);
    expect(await adapter.services(new AbortController().signal)).toContain("orders");

    await write("00000000-0000-0000-0000-00000000dead");
    const refused = read(adapter);
    await refused.untilFailed(withinMs);
    expect(String(refused.error)).toMatch(/HTTP 403: .*ACL not found/);
    await write((await tokenOf(["reader"])).SecretID);
    await untilPorts(read(adapter), 8081);

    // Consul says nothing of ACLs when it answers a blocking query from its streaming backend.
    const losing = await tokenOf(["reader"]);
    const seen = read(adapterFor(server, { token: losing.SecretID, waitMs: 200 }));
    await untilPorts(seen, 8081);
    await server.put(`/v1/acl/token/${losing.AccessorID}`, { AccessorID: losing.AccessorID, Policies: [] });
    await seen.untilFailed(withinMs);
    expect(String(seen.error)).toMatch(/filtered by ACLs/);
    expect(seen.sets.map(portsOf)).toEqual([[8081]]);

    const mayNot = adapterFor(server, { token: reading.SecretID });
    await expect(mayNot.register({ service: "orders", port: 8082 })).rejects.toMatchObject({
      code: "ERR_MESH_REGISTRATION",
      cause: { status: 403 },
    });
    expect(await listed(server)).toEqual([8081]);
  });

  it("works by HTTPS, and only with the authority it was given", async () => {
    const server = await start({ tls: true });
    await server.registerService(orders(8081));
    const url = server.httpsUrl ?? expect.fail();
    await untilPorts(read(adapterFor({ url }, { tls: { ca: server.ca ?? "" } })), 8081);
    const named = { tls: { ca: server.ca ?? "", serverName: "server.dc1.consul" } };
    await untilPorts(read(adapterFor({ url }, named)), 8081);
    const [strange, misnamed] = [
      read(adapterFor({ url })),
      read(adapterFor({ url }, { tls: { ca: server.ca ?? "", serverName: "evil.example" } })),
    ];
    await strange.untilFailed(withinMs);
    expect(String(strange.error)).toMatch(/certificate/);
    await misnamed.untilFailed(withinMs);
    expect(String(misnamed.error)).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID|altnames/);
    expect([...strange.sets, ...misnamed.sets]).toEqual([]);
  });

  it("keeps no process alive by a watch and a registration, and leaves nothing behind when it is closed", async () => {
    const server = await start();
    await server.registerService(orders(8081));
    const module = JSON.stringify(new URL("../../src/registries/consul.ts", import.meta.url).href);
    const script = `
      import { consul } from ${module};
      const resources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|TLS/.test(name));
      const adapter = consul({ url: "${server.url}" });
      const controller = new AbortController();
      const sets = [];
      const reading = (async () => {
        for await (const { endpoints } of adapter.watch("orders", controller.signal)) sets.push(endpoints);
      })();
      const registration = await adapter.register({ service: "orders", host: "127.0.0.1", port: 8082, check: { type: "ttl", ttlMs: 600 } });
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (process.argv[1] === "close") {
        await registration.deregister();
        controller.abort();
        await reading;
        await adapter.close();
        await new Promise((resolve) => setImmediate(resolve));
        console.log(sets.at(-1).some(({ port }) => port === 8081), resources().length);
      } else console.log(sets.at(-1).some(({ port }) => port === 8081), "left open");
    `;
    for (const [mode, output] of [
      ["close", "true 0\n"],
      ["leave", "true left open\n"],
    ] as const) {
      const child = spawn(process.execPath, ["--input-type=module", "--no-warnings", "-e", script, mode], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      cleanups.push(() => child.kill("SIGKILL"));
      let printed = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
      });
      const [code] = (await once(child, "close", { signal: AbortSignal.timeout(withinMs) })) as [number];
      expect([code, printed]).toEqual([0, output]);
    }
  });
});

describe.skipIf(!available("consul"))("what a real Consul has beside its catalogue", { timeout }, () => {
  it("is a prepared query, whose instances and changes are found", async () => {
    const server = await start();
    await server.registerService(orders(8081, { Tags: ["v2"] }));
    await server.registerService(orders(8082));
    const created = await fetch(`${server.url}/v1/query`, {
      method: "POST",
      body: JSON.stringify({ Name: "orders-v2", Service: { Service: "orders", Tags: ["v2"] } }),
    });
    expect(created.status).toBe(200);
    const reader = read(adapterFor(server, { preparedQuery: "{service}-v2", pollMs: 50 }));
    await untilPorts(reader, 8081);
    await server.registerService(orders(8083, { Tags: ["v2"] }));
    await untilPorts(reader, 8081, 8083);
    const missing = read(adapterFor(server, { preparedQuery: "nothing" }));
    await missing.untilFailed(withinMs);
    expect(String(missing.error)).toMatch(/prepared query nothing: HTTP 404/);
  });

  it("is no namespace and no partition without a licence, which it says", async () => {
    const server = await start();
    for (const options of [{ namespace: "team" }, { partition: "team" }]) {
      const reader = read(adapterFor(server, options));
      await reader.untilFailed(withinMs);
      expect(String(reader.error)).toMatch(/Consul Enterprise/);
    }
    const register = adapterFor(server, { namespace: "team" }).register({ service: "orders", host: "127.0.0.1", port: 80 });
    await expect(register).rejects.toThrow(/Consul Enterprise/);
  });
});

describe.skipIf(!available("consul"))("registering with a real Consul", { timeout }, () => {
  const instance = { service: "orders", host: "127.0.0.1", port: 8081, check: { type: "ttl", ttlMs: 1_500 } } as const;

  it("tells the instance's data so that discovery reads them back", async () => {
    const server = await start();
    const adapter = adapterFor(server);
    const registration = disposed(
      await adapter.register({
        ...instance,
        id: "orders/1 ü",
        weight: 7,
        zone: "a",
        secure: true,
        tags: ["v2"],
        metadata: { version: "2" },
      }),
    );
    const reader = read(adapter);
    await untilPorts(reader, 8081);
    expect(reader.last).toEqual([
      {
        id: "test-node/orders/1 ü",
        host: "127.0.0.1",
        port: 8081,
        secure: true,
        weight: 7,
        zone: "a",
        region: "dc1",
        metadata: { secure: "true", version: "2", zone: "a", tags: "v2", node: "test-node" },
      },
    ]);
    await registration.setStatus("out-of-service");
    await untilPorts(reader);
    await registration.setStatus("up");
    await untilPorts(reader, 8081);
    await registration.deregister();
    await untilPorts(reader);
    expect(await server.get("/v1/agent/checks")).toEqual({});
  });

  it("stays registered far beyond its TTL, and is out when the process stops telling", async () => {
    const server = await start();
    const adapter = adapterFor(server);
    disposed(await adapter.register({ ...instance, check: { type: "ttl", ttlMs: 300 } }));
    await untilListed(server, 8081);
    for (let look = 0; look < 100; look++) {
      expect(await listed(server)).toEqual([8081]);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const silent = consul({ url: server.url, clock: { now: () => 0, wallNow: () => 0, setTimer: () => 0, clearTimer: () => {} } });
    await silent.register({ ...instance, port: 8082, check: { type: "ttl", ttlMs: 300 } });
    await untilListed(server, 8081, 8082);
    await untilListed(server, 8081);
  });

  it("comes back with its status after the agent was restarted without data", async () => {
    const server = await start();
    const adapter = adapterFor(server);
    disposed(await adapter.register(instance));
    const out = disposed(await adapter.register({ ...instance, port: 8082 }));
    const probed = disposed(await adapter.register({ ...instance, port: server.port, check: { type: "tcp", intervalMs: 200 } }));
    await out.setStatus("out-of-service");
    await untilListed(server, 8081, server.port);
    await server.restart();
    await until(
      "everything is registered again",
      async () => {
        // The instance that is out of service is never routable.
        expect(await listed(server)).not.toContain(8082);
        const services = (await server.get("/v1/agent/services")) as object;
        return Object.keys(services).length === 3;
      },
      withinMs,
    );
    await untilListed(server, 8081, server.port);
    expect(await server.get("/v1/agent/checks")).toHaveProperty([`_service_maintenance:${out.id}`]);
    await out.setStatus("up");
    await untilListed(server, 8081, 8082, server.port);
    await probed.deregister();
    await untilListed(server, 8081, 8082);
  });

  it("registers as soon as the agent is there, and says so when it does not come", async () => {
    const server = await start();
    await server.kill();
    const late = adapterFor(server).register(instance);
    const never = adapterFor(server, { registerTimeoutMs: 200 }).register({ ...instance, port: 8082 });
    await expect(never).rejects.toMatchObject({ code: "ERR_MESH_REGISTRATION", message: expect.stringMatching(/ECONNREFUSED/) });
    await server.restart();
    disposed(await late);
    await untilListed(server, 8081);
  });

  it("lets Consul check by HTTP, TCP and gRPC", async () => {
    const server = await start();
    let status = 200;
    const http = createServer((_request, response) => response.writeHead(status).end());
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    cleanups.push(() => http.close());
    const { port } = http.address() as AddressInfo;
    const adapter = adapterFor(server);
    const intervalMs = 100;
    disposed(await adapter.register({ ...instance, port, check: { type: "http", path: "/healthz", intervalMs } }));
    disposed(await adapter.register({ ...instance, id: "tcp", port: server.port, check: { type: "tcp", intervalMs } }));
    // Nothing there speaks gRPC.
    disposed(
      await adapter.register({ ...instance, id: "grpc", port: server.dnsPort, check: { type: "grpc", intervalMs, timeoutMs: 100 } }),
    );
    const both = [port, server.port].sort(ascending);
    await untilListed(server, ...both);
    status = 503;
    await untilListed(server, server.port);
    status = 200;
    await untilListed(server, ...both);
    const reader = read(adapter);
    await reader.until("two instances", (set) => set.length === 2, withinMs);
    status = 429;
    await until("a warning counts", async () => (await listed(server)).length === 1, withinMs);
    await reader.until("the one with a warning is still in", (set) => set.length === 2, withinMs);
  });

  it("ends a maintenance that an earlier process under the same id has left", async () => {
    const server = await start();
    const crashed = await consul({
      url: server.url,
      clock: { now: () => 0, wallNow: () => 0, setTimer: () => 0, clearTimer: () => {} },
    }).register(instance);
    await crashed.setStatus("out-of-service");
    disposed(await adapterFor(server).register(instance));
    await untilListed(server, 8081);
  });
});
