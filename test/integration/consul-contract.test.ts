import { afterAll, beforeAll, describe, it } from "vitest";
import { consul } from "../../src/registries/consul.ts";
import { type DiscoveryHarness, discoveryContract } from "../../src/testing/contract/discovery.ts";
import { type RegistrarHarness, registrarContract } from "../../src/testing/contract/registrar.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";

describe.skipIf(!available("consul"))("consul on a real Consul", () => {
  let server: ConsulServer;
  let cases = 0;
  beforeAll(async () => {
    server = await startConsul();
  }, 60_000);
  afterAll(() => server?.stop());

  /** A name of its own for every case, so that one server serves all. */
  const freshName = (): string => `contract-service-${++cases}`;

  const discoveryHarness = async (): Promise<DiscoveryHarness> => {
    const service = freshName();
    const registered = new Map<string, Set<string>>();
    const discovery = consul({ url: server.url, minIntervalMs: 20, requestTimeoutMs: 1_000, waitMs: 1_000 });
    const broken = { isBroken: false };
    const set: DiscoveryHarness["set"] = async (endpoints, name = service) => {
      const before = registered.get(name) ?? new Set();
      const after = new Set<string>();
      for (const { host, port, weight } of endpoints) {
        const id = `${name}-${host}`;
        after.add(id);
        await server.registerService({
          Name: name,
          ID: id,
          Address: host,
          Port: port,
          ...(weight === undefined ? {} : { Weights: { Passing: weight, Warning: 1 } }),
        });
      }
      for (const id of before) if (!after.has(id)) await server.deregisterService(id);
      registered.set(name, after);
      await untilCatalogued(server, name, endpoints.length);
    };
    return {
      discovery,
      service,
      otherService: freshName(),
      set,
      async breakSource() {
        broken.isBroken = true;
        server.pause();
        await untilSilent(server);
      },
      async healSource() {
        broken.isBroken = false;
        server.resume();
      },
      async close() {
        if (broken.isBroken) server.resume();
        await discovery.close?.();
        for (const ids of registered.values()) for (const id of ids) await server.deregisterService(id);
      },
      withinMs: 10_000,
    };
  };

  for (const test of discoveryContract(discoveryHarness)) it(test.name, { timeout: 40_000 }, () => test.run());

  const registrarHarness = async (): Promise<RegistrarHarness> => {
    const service = freshName();
    const registrar = consul({ url: server.url });
    return {
      registrar,
      instance: { service, host: "127.0.0.1", port: 8081, check: { type: "ttl", ttlMs: 1_000 } },
      async listed() {
        const entries = (await server.get(`/v1/health/service/${service}?passing=1`)) as {
          Service: { ID: string; Address: string; Port: number };
        }[];
        return entries.map(({ Service }) => ({ id: Service.ID, host: Service.Address, port: Service.Port }));
      },
      async forget() {
        const all = (await server.get("/v1/agent/services")) as Record<string, { Service: string }>;
        for (const [id, known] of Object.entries(all)) if (known.Service === service) await server.deregisterService(id);
      },
      close: async () => await registrar.close(),
    };
  };

  for (const test of registrarContract(registrarHarness)) it(test.name, { timeout: 40_000 }, () => test.run());
});

/** A process that is told to stop may still answer for a moment. */
async function untilSilent({ url }: ConsulServer): Promise<void> {
  const isSilent = () =>
    fetch(`${url}/v1/status/leader`, { signal: AbortSignal.timeout(100) }).then(
      () => false,
      () => true,
    );
  while (!(await isSilent()));
}

async function untilCatalogued(server: ConsulServer, service: string, count: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const entries = (await server.get(`/v1/health/service/${service}`)) as unknown[];
    if (entries.length === count) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${service} never had ${count} instances in the catalogue`);
}
