import type { Discovery } from "../../src/extend.ts";
import { dns } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { startBind } from "../servers/bind.ts";
import { startConsul } from "../servers/consul.ts";
import { startEureka } from "../servers/eureka.ts";
import type { ServerProcess } from "../servers/process.ts";

/** A real registry with a way to list instances of `shop` in it. */
export interface RealRegistry {
  readonly server: ServerProcess;
  readonly discovery: Discovery;
  /** Makes these ports the instances of `shop`. */
  list(ports: readonly number[]): Promise<void>;
  /** Takes these out of it, as instances do that leave properly; `staying` are the others. */
  unlist(ports: readonly number[], staying: readonly number[]): Promise<void>;
}

export const registryNames = ["consul", "eureka", "bind"] as const;

/**
 * Starts one with nothing in it. Its adapter asks again every `refreshMs`; without, as often as suits tests of changes, which
 * Consul announces by itself.
 */
export const realRegistries: Readonly<Record<(typeof registryNames)[number], (refreshMs?: number) => Promise<RealRegistry>>> = {
  async consul(refreshMs = 60_000) {
    const server = await startConsul();
    return {
      server,
      discovery: consul({ url: server.url, waitMs: refreshMs, minIntervalMs: 20, requestTimeoutMs: 1_000 }),
      async list(ports) {
        for (const port of ports) await server.registerService({ Name: "shop", ID: `shop-${port}`, Address: "127.0.0.1", Port: port });
      },
      async unlist(ports) {
        for (const port of ports) await server.deregisterService(`shop-${port}`);
      },
    };
  },
  async eureka(refreshMs = 300) {
    const server = await startEureka();
    return {
      server,
      discovery: eureka({ servers: [server.url], refreshMs, requestTimeoutMs: 1_000 }),
      async list(ports) {
        for (const port of ports) await server.register({ app: "shop", instanceId: `shop-${port}`, port });
      },
      async unlist(ports) {
        for (const port of ports) await server.deregister("shop", `shop-${port}`);
      },
    };
  },
  async bind(refreshMs = 1_000) {
    const ttlS = Math.ceil(refreshMs / 1_000);
    const server = await startBind();
    await server.set("host", "A", ["127.0.0.1"], ttlS);
    const list = (ports: readonly number[]) =>
      server.set(
        "_shop._tcp",
        "SRV",
        ports.map((port) => `10 10 ${port} host.test.`),
        ttlS,
      );
    return {
      server,
      discovery: dns({ type: "SRV", name: "_{service}._tcp.test", servers: [server.address], timeoutMs: 300, maxAttempts: 1 }),
      list,
      unlist: (_ports, staying) => list(staying),
    };
  },
};
