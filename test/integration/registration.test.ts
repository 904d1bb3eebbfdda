import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshRegistration } from "../../src/registration/mesh-registration.ts";
import { type Consul, type ConsulOptions, consul } from "../../src/registries/consul.ts";
import { type Eureka, eureka } from "../../src/registries/eureka.ts";
import { serve } from "../../src/server/server.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, type ConsulOptions as ServerOptions, startConsul } from "../servers/consul.ts";
import { type EurekaServer, startEureka } from "../servers/eureka.ts";
import { until } from "../support/until.ts";

const timeout = 120_000;
const cleanups: (() => unknown)[] = [];
let warnings: string[];

beforeEach(() => {
  warnings = [];
  vi.spyOn(process, "emitWarning").mockImplementation((text, name) => {
    if (String(name) === "MeshRegistrationWarning") warnings.push(String(text));
  });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  vi.restoreAllMocks();
}, timeout);

function meshOf(discovery: Consul | Eureka): Mesh {
  const mesh = createMesh({ discovery, observers: [] });
  cleanups.push(() => mesh.close());
  return mesh;
}

async function startedConsul(options: ServerOptions = {}): Promise<ConsulServer> {
  const server = await startConsul(options);
  cleanups.push(() => server.stop());
  return server;
}

const at = (server: ConsulServer, options: ConsulOptions = {}): Consul => consul({ url: server.url, requestTimeoutMs: 2_000, ...options });
const instance = { service: "orders", host: "127.0.0.1", port: 8081, id: "o1" };

interface Health {
  readonly Service: {
    readonly ID: string;
    readonly Weights: { readonly Passing: number };
    readonly Meta: Readonly<Record<string, string>>;
  };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string; readonly Output: string }[];
}

/** What Consul knows of an instance; `undefined` where it is not listed. */
async function listed(server: ConsulServer, id = "o1"): Promise<Health | undefined> {
  const all = (await server.get("/v1/health/service/orders")) as readonly Health[];
  return all.find(({ Service }) => Service.ID === id);
}

/** Whether an instance gets requests. */
async function isRoutable(server: ConsulServer, id = "o1"): Promise<boolean> {
  return (await listed(server, id))?.Checks.every(({ Status }) => Status === "passing") ?? false;
}

describe.skipIf(!available("consul"))("a registration of a mesh at a real Consul", { timeout }, () => {
  it("is out of service, goes on being renewed, and is back", async () => {
    const server = await startedConsul();
    const registration = await meshOf(at(server)).register({ ...instance, check: { type: "ttl", ttlMs: 900 } });
    expect(await isRoutable(server)).toBe(true);
    await registration.setStatus("out-of-service");
    expect([await isRoutable(server), registration.registries[0]?.status]).toEqual([false, "out-of-service"]);
    // Three times as long as its TTL.
    await new Promise((resolve) => setTimeout(resolve, 2_700));
    const checks = (await listed(server))?.Checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`);
    expect(checks?.sort()).toEqual(["_service_maintenance:o1 critical", "serfHealth passing", "service:o1 passing"]);
    await registration.setStatus("up");
    expect(await isRoutable(server)).toBe(true);
  });

  it.each([
    { type: "http", path: "/health", intervalMs: 100 },
    { type: "tcp", intervalMs: 100 },
  ] as const)("whose server Consul probes by $type is left as soon as its callers know, although probes come on", async (check) => {
    const server = await startedConsul();
    const probes: unknown[] = [];
    const http = createServer((request, response) => {
      if (request.url === "/health") probes.push(request.headers["user-agent"]);
      response.end("ok");
    });
    await once(http.listen(0, "127.0.0.1"), "listening");
    const serving = serve(http, {
      mesh: meshOf(at(server)),
      register: { service: "orders", host: "127.0.0.1", check },
      signals: [],
      log: false,
      lameDuckMs: 20_000,
    });
    cleanups.push(() => serving.stop());
    await serving.started;
    const caller = meshOf(at(server));
    await until("it is probed and called", () =>
      caller.fetch("orders/").then(
        async (response) => (await response.text()) === "ok" && (check.type === "tcp" || probes.length > 2),
        () => false,
      ),
    );
    expect((await serving.stop()).lameDuckMs).toBeLessThan(5_000);
    expect([...new Set(probes)]).toEqual(check.type === "http" ? ["Consul Health Check"] : []);
  });

  it.each(["up", "down", "out-of-service"] as const)("that is %s gets another weight, and loses nothing else", async (status) => {
    const server = await startedConsul();
    const mesh = meshOf(at(server));
    const ttl = await mesh.register({ ...instance, weight: 3, metadata: { version: "2" } });
    // Consul's own check has found out something, which must not be forgotten: a new check begins as critical.
    const probed = await mesh.register({ ...instance, id: "o2", port: server.port, check: { type: "tcp", intervalMs: 60_000 } });
    await until("the probe", () => isRoutable(server, "o2"), 90_000).catch(() => {});
    for (const registration of [ttl, probed]) {
      await registration.setStatus(status);
      const { Checks, ...before } = (await listed(server, registration.id)) ?? expect.fail();
      await registration.setWeight(11);
      const after = (await listed(server, registration.id)) ?? expect.fail();
      expect(after.Service.Weights.Passing).toBe(11);
      expect(after.Service.Meta).toEqual(before.Service.Meta);
      expect(after.Checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`)).toEqual(
        Checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`),
      );
      expect(registration.status).toBe(status);
    }
  });

  it("keeps its new weight when Consul has lost its data, and is back within a third of the TTL and a second", async () => {
    const server = await startedConsul();
    const registration = await meshOf(at(server)).register({ ...instance, check: { type: "ttl", ttlMs: 3_000 } });
    await registration.setWeight(5);
    await registration.setStatus("out-of-service");
    await registration.setStatus("up");
    await server.kill();
    await server.restart();
    const upAt = performance.now();
    await until("it is back", () => isRoutable(server), 10_000);
    expect(performance.now() - upAt).toBeLessThan(1_000 + 1_000 + 500);
    expect((await listed(server))?.Service.Weights.Passing).toBe(5);
    expect(registration.state).toBe("registered");
    expect(warnings.some((text) => text.includes("the registry did not know it any more, and has taken it again"))).toBe(true);
  });

  it("that keeps trying is there once Consul is, and says once that it was not", async () => {
    const server = await startedConsul();
    await server.kill();
    const mesh = meshOf(at(server, { registerTimeoutMs: 300 }));
    const registration = await mesh.register({ ...instance, keepTrying: true });
    await until("it fails", () => registration.state === "failing");
    await server.restart();
    await registration.whenRegistered();
    expect(await isRoutable(server)).toBe(true);
    expect(warnings).toHaveLength(1);
    await mesh.close();
    expect(await listed(server)).toBeUndefined();
  });

  it("that is refused by the ACL says so once, and is taken when the token may", async () => {
    const server = await startedConsul({ acl: true });
    let token: string = randomUUID();
    const registration = await meshOf(at(server, { token: () => token, registerTimeoutMs: 300 })).register({
      ...instance,
      keepTrying: true,
    });
    await until("it fails", () => registration.state === "failing");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(warnings).toEqual([
      expect.stringMatching(/^inmesh: o1, an instance of orders: consul at .*: registering o1: HTTP 403: .*ACL not found/),
    ]);
    token = server.token ?? "";
    await registration.whenRegistered();
  });

  it("is left to the process that has taken its id, which is said, and its end does not remove that one", async () => {
    const server = await startedConsul();
    const check = { type: "ttl", ttlMs: 900 } as const;
    const [older, newer] = [meshOf(at(server)), meshOf(at(server))];
    const first = await older.register({ ...instance, check });
    const second = await newer.register({ ...instance, check, metadata: { version: "2" } });
    await until("it is said", () => first.state === "failing");
    expect(first.registries[0]?.error?.message).toContain("another process has registered under this id since");
    await expect(first.setStatus("out-of-service")).rejects.toThrow("another process has registered under this id since");
    await older.close();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([await isRoutable(server), (await listed(server))?.Service.Meta["version"], second.state]).toEqual([true, "2", "registered"]);
    expect(warnings).toHaveLength(1);
  });

  it.each(["o1", 'o"1', "o`1", "o\\1", '`"'])("with the id %s comes back when the process that had taken it has gone", async (id) => {
    const server = await startedConsul();
    const check = { type: "ttl", ttlMs: 900 } as const;
    const first = await meshOf(at(server)).register({ ...instance, check, id });
    const second = await meshOf(at(server)).register({ ...instance, check, id });
    await until("it is said", () => first.state === "failing");
    await second.deregister();
    await until("it is back", () => first.state === "registered");
    expect(await isRoutable(server, id)).toBe(true);
  });

  it.each(["/", "?", "#", "%2f", " ", "..;/", "é"])("with the id a%sb is told of a status and a weight, and removed", async (part) => {
    const server = await startedConsul();
    const registration = await meshOf(at(server)).register({ ...instance, id: `a${part}b` });
    await registration.setStatus("out-of-service");
    await registration.setStatus("up");
    await registration.setWeight(2);
    expect((await listed(server, `a${part}b`))?.Service.Weights.Passing).toBe(2);
    await registration.deregister();
    expect(Object.keys((await server.get("/v1/agent/services")) as object)).toEqual([]);
  });

  it("with metadata that Consul would not take is refused before anything is sent", async () => {
    const mesh = meshOf(consul({ port: 9 }));
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, "v"]));
    for (const [metadata, message] of [
      [{ "a b": "1" }, "consul: the name of metadata of an instance must be 1 to 128 letters, digits, - and _, got 'a b'"],
      [{ "consul-x": "1" }, 'must be a name that does not begin with "consul-"'],
      [{ a: "x".repeat(513) }, "consul: metadata.a of an instance must be a string of at most 512 characters"],
      [many, "must be at most 64 entries, with those for zone and secure, got 65"],
    ] as const)
      await expect(mesh.register({ ...instance, metadata, keepTrying: true })).rejects.toThrow(message);
  });

  it("is back soon after its process was stopped for longer than its check lasts", async () => {
    const server = await startedConsul();
    const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const script = `
      import { createMesh } from ${module("mesh/mesh.ts")};
      import { consul } from ${module("registries/consul.ts")};
      const mesh = createMesh({ discovery: consul({ url: ${JSON.stringify(server.url)} }), observers: [] });
      await mesh.register({ service: "orders", host: "127.0.0.1", port: 8081, id: "o1", check: { type: "ttl", ttlMs: 900 } });
      setInterval(() => {}, 1_000);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "inherit"] });
    cleanups.push(() => child.kill("SIGKILL"));
    await until("it is registered", () => isRoutable(server), 20_000);
    child.kill("SIGSTOP");
    await until("its check has run out", async () => !(await isRoutable(server)), 10_000);
    child.kill("SIGCONT");
    await until("it is back", () => isRoutable(server), 3_000);
  });

  it("leaves nothing at Consul when its process ends while it registers, waits or tries again", async () => {
    const server = await startedConsul();
    const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
    const script = `
      import { createMesh } from ${module("mesh/mesh.ts")};
      import { consul } from ${module("registries/consul.ts")};
      const [url, delayMs] = process.argv.slice(1);
      const mesh = createMesh({ discovery: consul({ url }), observers: [] });
      const server = setInterval(() => {}, 1_000);
      process.once("SIGTERM", () => void mesh.close().then(() => {
        clearInterval(server);
        const left = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|TLS/.test(name));
        console.log("left", left.length);
      }));
      mesh.register({ service: "orders", host: "127.0.0.1", port: 8081, id: "o" + delayMs }).catch(() => {});
      setTimeout(() => process.kill(process.pid, "SIGTERM"), Number(delayMs));
    `;
    const delays = [0, 1, 2, 3, 5, 8, 12, 20, 40];
    for (const delayMs of delays) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script, server.url, String(delayMs)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        output += String(chunk);
      });
      const [code] = (await once(child, "close")) as [number];
      expect([delayMs, code, output.trim()]).toEqual([delayMs, 0, "left 0"]);
    }
    expect(Object.keys((await server.get("/v1/agent/services")) as object)).toEqual([]);
  });
});

describe.skipIf(!available("consul") || !available("eureka"))("a registration of a mesh at Eureka, and at Consul too", { timeout }, () => {
  const brisk = { refreshMs: 100, heartbeatMs: 300, requestTimeoutMs: 2_000 } as const;
  const statusAt = async (server: EurekaServer, id = "o1"): Promise<string | undefined> => {
    const response = await fetch(`${server.url}/apps/ORDERS/${id}`, { headers: { accept: "application/json" } });
    if (response.status !== 200) {
      await response.body?.cancel();
      return undefined;
    }
    return ((await response.json()) as { instance: { status: string } }).instance.status;
  };

  it("is told everywhere, comes back where it was lost, and leaves both", async () => {
    const [first, second] = await Promise.all([startedConsul(), startEureka()]);
    cleanups.push(() => second.stop());
    const registry = eureka({ servers: [second.url], ...brisk });
    const mesh = meshOf(registry);
    const registration: MeshRegistration = await mesh.register({
      ...instance,
      check: { type: "ttl", ttlMs: 3_000 },
      registrar: [at(first), registry],
    });
    expect(registration.callersKnowAfterMs).toBe(60_000);
    await registration.setStatus("out-of-service");
    expect([await isRoutable(first), await statusAt(second)]).toEqual([false, "OUT_OF_SERVICE"]);
    await registration.setStatus("up");
    await registration.setWeight(9);
    expect(await isRoutable(first)).toBe(true);
    const weights = async (): Promise<readonly (number | undefined)[]> => {
      for await (const { endpoints } of registry.watch("orders", AbortSignal.timeout(10_000)))
        if (endpoints[0]?.weight === 9) return endpoints.map(({ weight }) => weight);
      return [];
    };
    expect(await weights()).toEqual([9]);

    await second.kill();
    await until("it fails", () => registration.registries[1]?.state === "failing", 20_000);
    expect(registration.registries[0]?.state, "one does not undo the other").toBe("registered");
    await second.restart();
    const upAt = performance.now();
    await until("it is back", async () => (await statusAt(second)) === "UP", 20_000);
    // A third of the lease of 90 s bounds the heartbeat of 300 ms; retries back off to 300 ms at most.
    expect(performance.now() - upAt).toBeLessThan(2_000);

    await second.kill();
    const error = (await registration.deregister().catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(/^deregistering o1 failed at 1 of 2 registries: eureka at /);
    expect(registration.registries.map(({ state }) => state)).toEqual(["deregistered", "failing"]);
    expect(await listed(first)).toBeUndefined();
    await second.restart();
    await registration.deregister();
    expect(registration.state).toBe("deregistered");
  });

  it("is left to the process that has taken its id at Eureka, which its end does not remove", async () => {
    const server = await startEureka();
    cleanups.push(() => server.stop());
    const at = () => meshOf(eureka({ servers: [server.url], ...brisk }));
    const older = at();
    const first = await older.register(instance);
    await at().register({ ...instance, weight: 2 });
    await until("it is said", () => first.state === "failing");
    expect(first.registries[0]?.error?.message).toContain("another process has registered under this id since");
    await older.close();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await statusAt(server)).toBe("UP");
  });
});
