import { hostname } from "node:os";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Registration } from "../../src/registration/registrar.ts";
import { type EurekaOptions, eureka } from "../../src/registries/eureka.ts";
import { type DiscoveryHarness, discoveryContract } from "../../src/testing/contract/discovery.ts";
import { type RegistrarHarness, registrarContract } from "../../src/testing/contract/registrar.ts";
import { WatchReader } from "../../src/testing/contract/watch-reader.ts";
import { available } from "../servers/available.ts";
import { type EurekaServer, startEureka, startEurekaPeers } from "../servers/eureka.ts";

interface Listed {
  readonly instanceId: string;
  readonly ipAddr: string;
  readonly hostName: string;
  readonly status: string;
  readonly overriddenStatus: string;
  readonly port: { readonly $: number; readonly "@enabled": string };
  readonly securePort: { readonly $: number; readonly "@enabled": string };
  readonly healthCheckUrl?: string;
  readonly leaseInfo: { readonly durationInSecs: number; readonly renewalIntervalInSecs: number };
  readonly metadata: Readonly<Record<string, string>>;
}

const brisk: EurekaOptions = { refreshMs: 100, heartbeatMs: 200, requestTimeoutMs: 2_000, random: () => 0.5 };
const timeout = 60_000;
const withinMs = 20_000;

describe.skipIf(!available("eureka"))("eureka on a real Eureka", { timeout }, () => {
  let server: EurekaServer;
  let cases = 0;
  beforeAll(async () => {
    server = await startEureka();
  }, 120_000);
  afterAll(() => server?.stop());

  /** A name of its own for every case, so that one server serves all. */
  const freshName = (): string => `contract-service-${++cases}`;

  describe("as a discovery", () => {
    const harness = async (): Promise<DiscoveryHarness> => {
      const service = freshName();
      const discovery = eureka({ ...brisk, requestTimeoutMs: 500, servers: [server.url] });
      const registered = new Map<string, Set<string>>();
      let isPaused = false;
      return {
        discovery,
        service,
        otherService: freshName(),
        async set(endpoints, name = service) {
          const ids = new Set<string>();
          for (const { host, port, weight } of endpoints) {
            const metadata: Record<string, string> = weight === undefined ? {} : { weight: String(weight) };
            ids.add(await server.register({ app: name, host, port, instanceId: `${name}-${host}`, metadata }));
          }
          for (const id of registered.get(name) ?? []) if (!ids.has(id)) await server.deregister(name, id);
          registered.set(name, ids);
          await expect.poll(async () => (await listed(server, name)).length, { timeout: withinMs }).toBe(ids.size);
        },
        async breakSource() {
          isPaused = true;
          server.pause();
          // The signal returns before the last thread of the server has stopped.
          await expect.poll(() => isAnswering(server.url), { timeout: withinMs }).toBe(false);
        },
        async healSource() {
          isPaused = false;
          server.resume();
        },
        async close() {
          if (isPaused) server.resume();
          await discovery.close?.();
          for (const [name, ids] of registered) for (const id of ids) await server.deregister(name, id);
        },
        withinMs,
      };
    };
    for (const test of discoveryContract(harness)) it(test.name, () => test.run());
  });

  describe("as a registrar", () => {
    const harness = async (): Promise<RegistrarHarness> => {
      const service = freshName();
      return {
        registrar: eureka({ ...brisk, servers: [server.url] }),
        instance: { service, host: "127.0.0.1", port: 8081 },
        async listed() {
          const up = (await listed(server, service)).filter(({ status }) => status === "UP");
          return up.map(({ instanceId, ipAddr, port }) => ({ id: instanceId, host: ipAddr, port: port.$ }));
        },
        async forget() {
          for (const { instanceId } of await listed(server, service)) await server.deregister(service, instanceId);
        },
        close: async () => {},
        withinMs,
      };
    };
    for (const test of registrarContract(harness)) it(test.name, () => test.run());
  });

  describe("its registrations", () => {
    let service: string;
    let registrations: Registration[];
    beforeEach(() => {
      service = freshName();
      registrations = [];
    });
    afterEach(async () => {
      for (const registration of registrations) await registration.deregister();
    });
    const keep = <T extends Registration>(registration: T): T => {
      registrations.push(registration);
      return registration;
    };
    const statusOf = async ({ id }: Registration): Promise<string | undefined> => (await instanceOf(server, service, id))?.status;

    it("come out of discovery as they went in", async () => {
      const registry = eureka({ ...brisk, servers: [server.url] });
      const metadata = JSON.parse('{"version":"1.2","constructor":"c"}') as Record<string, string>;
      const id = "one";
      keep(
        await registry.register({
          service,
          id,
          host: "127.0.0.9",
          port: 8443,
          secure: true,
          weight: 7,
          zone: "z1",
          tags: ["a", "b"],
          metadata,
        }),
      );
      const reader = new WatchReader(registry, service.toUpperCase());
      const [endpoint] = await reader.until("one instance", (set) => set.length === 1, withinMs);
      await reader.stop();
      expect(endpoint).toMatchObject({ id, host: "127.0.0.9", port: 8443, secure: true, weight: 7, zone: "z1" });
      expect({ ...endpoint?.metadata }).toEqual({ version: "1.2", constructor: "c", weight: "7", zone: "z1", tags: "a,b" });
    });

    it("tell the lease, the machine's name and address, and the health check's URL", async () => {
      const registry = eureka({ servers: [server.url], heartbeatMs: 5_000, leaseMs: 15_500 });
      const { id } = keep(await registry.register({ service, port: 8080, check: { type: "http", path: "/health" } }));
      const instance = await instanceOf(server, service, id);
      expect(instance).toMatchObject({ hostName: hostname(), status: "UP", leaseInfo: { durationInSecs: 16, renewalIntervalInSecs: 5 } });
      expect(instance?.ipAddr).toMatch(/^[0-9a-f.:]+$/i);
      expect(instance?.healthCheckUrl).toBe(`http://${hostname()}:8080/health`);
      expect(instance?.securePort["@enabled"]).toBe("false");
      expect(id).toBe(`${hostname()}:${service}:8080`);
    });

    it("are found by a virtual host name as well", async () => {
      await server.register({ app: service, port: 8001, vip: `first.${service}, Second.${service}` });
      const registry = eureka({ ...brisk, by: "vip", servers: [server.url] });
      const reader = new WatchReader(registry, `second.${service}`);
      expect(await reader.until("the instance", (set) => set.length === 1, withinMs)).toMatchObject([{ port: 8001 }]);
      expect(await registry.services(new AbortController().signal)).toContain(`Second.${service}`);
      await reader.stop();
      await server.deregister(service, `127.0.0.1:${service}:8001`);
    });

    it("go from every status to every other, which Eureka itself would not let them", async () => {
      const registry = eureka({ ...brisk, servers: [server.url] });
      const registration = keep(await registry.register({ service, port: 8080, host: "127.0.0.1" }));
      for (const [status, inEureka] of [
        ["out-of-service", "OUT_OF_SERVICE"],
        ["up", "UP"],
        ["down", "DOWN"],
        ["out-of-service", "OUT_OF_SERVICE"],
        ["down", "DOWN"],
        ["up", "UP"],
      ] as const) {
        await registration.setStatus(status);
        expect(await statusOf(registration)).toBe(inEureka);
      }
    });

    it("end up with the status set last when several are set at once", async () => {
      const registration = keep(await eureka({ ...brisk, servers: [server.url] }).register({ service, port: 8080, host: "127.0.0.1" }));
      await Promise.all([registration.setStatus("out-of-service"), registration.setStatus("up"), registration.setStatus("down")]);
      expect(registration.status).toBe("down");
      expect(await statusOf(registration)).toBe("DOWN");
    });

    it("are up although an earlier life of the id was left out of service and its clock was ahead", async () => {
      const instance = { service, id: "same", port: 8080, host: "127.0.0.1" };
      const clock = { now: () => 0, wallNow: () => Date.now() + 3_600_000, setTimer: () => 0, clearTimer: () => {} };
      const crashed = await eureka({ servers: [server.url], clock }).register(instance);
      await crashed.setStatus("out-of-service");
      const successor = keep(await eureka({ servers: [server.url] }).register({ ...instance, metadata: { version: "2" } }));
      expect(await instanceOf(server, service, successor.id)).toMatchObject({ status: "UP", metadata: { version: "2" } });
    });

    it("leave an operator's override alone, and say what they are when it is taken back", async () => {
      const registration = keep(await eureka({ ...brisk, servers: [server.url] }).register({ service, port: 8080, host: "127.0.0.1" }));
      await server.setStatus(service, registration.id, "OUT_OF_SERVICE");
      await registration.setStatus("down");
      await registration.setStatus("up");
      expect(await instanceOf(server, service, registration.id)).toMatchObject({
        status: "OUT_OF_SERVICE",
        overriddenStatus: "OUT_OF_SERVICE",
      });
      await registration.setStatus("down");
      const seen = new Set<string | undefined>();
      await server.clearStatus(service, registration.id);
      await expect
        .poll(
          async () => {
            const status = await statusOf(registration);
            seen.add(status);
            return status;
          },
          { timeout: withinMs },
        )
        .toBe("DOWN");
      expect(seen).not.toContain("UP");
    });
  });
});

describe.skipIf(!available("eureka"))("eureka and what happens to servers", { timeout: 120_000 }, () => {
  it("registers by itself at a server that starts late, and again, with its status, at one that restarts empty", async () => {
    await using server = await startEureka();
    await server.kill();
    const failures: Error[] = [];
    const registry = eureka({
      ...brisk,
      servers: [server.url],
      registerTimeoutMs: 60_000,
      onRenewalError: (error) => failures.push(error),
    });
    const registering = registry.register({ service: "late", port: 8080, host: "127.0.0.1" });
    await server.restart();
    const registration = await registering;
    const reader = new WatchReader(registry, "late");
    await reader.until("the instance", (set) => set.length === 1, withinMs);
    await registration.setStatus("out-of-service");
    await reader.until("no instance", (set) => set.length === 0, withinMs);

    await server.kill();
    await reader.untilFailed(withinMs);
    expect(reader.error).toMatchObject({ code: "ERR_MESH_DISCOVERY" });
    await expect.poll(() => failures.length, { timeout: withinMs }).toBeGreaterThan(0);
    expect(failures[0]).toMatchObject({ code: "ERR_MESH_REGISTRATION", service: "late" });

    await server.restart();
    await expect
      .poll(async () => (await instanceOf(server, "late", registration.id))?.status, { timeout: withinMs })
      .toBe("OUT_OF_SERVICE");
    await registration.setStatus("up");
    expect((await instanceOf(server, "late", registration.id))?.status).toBe("UP");
    await registration.deregister();
    expect(await instanceOf(server, "late", registration.id)).toBeUndefined();
  });

  it("authenticates, and says neither user nor password when it is refused", async () => {
    const password = "c4n4ry/p:w@d";
    await using server = await startEureka({ user: "mesh", password });
    const inUrl = server.url.replace("http://", `http://mesh:${encodeURIComponent(password)}@`);
    for (const options of [{ servers: [inUrl] }, { servers: [server.url], username: "mesh", password }] satisfies EurekaOptions[]) {
      const registry = eureka({ ...brisk, ...options });
      const registration = await registry.register({ service: "locked", port: 8080, host: "127.0.0.1" });
      expect(await registry.services(new AbortController().signal)).toEqual(["locked"]);
      expect(inspect([registry, registration], { depth: 20, showHidden: true })).not.toMatch(/c4n4ry|bWVzaDp/);
      await registration.deregister();
    }
    const wrong = eureka({ ...brisk, servers: [inUrl.replace("c4n4ry", "c4n4ry-wrong")] });
    const refused = await wrong.register({ service: "locked", port: 8080 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "ERR_MESH_REGISTRATION", message: expect.stringContaining("answered 401") });
    const unread = await wrong.services(new AbortController().signal).catch((error: unknown) => error);
    expect(unread).toMatchObject({ code: "ERR_MESH_DISCOVERY", message: expect.stringContaining("answered 401") });
    expect(inspect([refused, unread, wrong], { depth: 20, showHidden: true })).not.toMatch(/c4n4ry|bWVzaDp/);
  });

  it("goes on with the second of two servers when the first is gone, and stays there", async () => {
    const [first, second] = (await startEurekaPeers(2)) as [EurekaServer, EurekaServer];
    try {
      const registry = eureka({ ...brisk, servers: [first.url, second.url] });
      const registration = await registry.register({ service: "pair", port: 8080, host: "127.0.0.1" });
      expect((await instanceOf(first, "pair", registration.id))?.status).toBe("UP");
      const reader = new WatchReader(registry, "pair");
      await reader.until("the instance", (set) => set.length === 1, withinMs);
      await expect.poll(async () => (await instanceOf(second, "pair", registration.id))?.status, { timeout: withinMs }).toBe("UP");
      await first.kill();
      await registration.setStatus("down");
      expect((await instanceOf(second, "pair", registration.id))?.status).toBe("DOWN");
      await reader.until("no instance", (set) => set.length === 0, withinMs);
      await registration.setStatus("up");
      await reader.until("the instance again", (set) => set.length === 1, withinMs);
      expect(reader.failed).toBe(false);
      await reader.stop();
      await registration.deregister();
      expect(await instanceOf(second, "pair", registration.id)).toBeUndefined();
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

async function listed(server: EurekaServer, app: string): Promise<readonly Listed[]> {
  const registry = (await server.get("/apps")) as { applications: { application: { name: string; instance: Listed[] }[] } };
  return registry.applications.application.find(({ name }) => name === app.toUpperCase())?.instance ?? [];
}

async function instanceOf(server: EurekaServer, app: string, id: string): Promise<Listed | undefined> {
  try {
    return ((await server.get(`/apps/${app.toUpperCase()}/${encodeURIComponent(id)}`)) as { instance: Listed }).instance;
  } catch (error) {
    if (String(error).includes("404")) return undefined;
    throw error;
  }
}

/** Whether it answers within half a second. */
async function isAnswering(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(500) });
    return true;
  } catch {
    return false;
  }
}
