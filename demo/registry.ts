import { type DemoRegistry, memoryDemoRegistry } from "../src/cli/demo/demo-registry.ts";
import type { SelfRegistration } from "../src/cli/demo/instances.ts";
import type { Discovery } from "../src/extend.ts";
import { dns } from "../src/index.ts";
import { consul } from "../src/registries/consul.ts";
import { eureka } from "../src/registries/eureka.ts";
import { startBind } from "../test/servers/bind.ts";
import { startConsul } from "../test/servers/consul.ts";
import { startEureka } from "../test/servers/eureka.ts";

/** The registries that the demo can run on. */
export const registryNames = ["memory", "consul", "eureka", "dns"] as const;

/** One of {@link registryNames}. */
export type RegistryName = (typeof registryNames)[number];

/** Starts the registry: the one in memory, or a real server. */
export function startRegistry(name: RegistryName): Promise<DemoRegistry> {
  return starters[name]();
}

const starters: Readonly<Record<RegistryName, () => Promise<DemoRegistry>>> = {
  memory: async () => memoryDemoRegistry(),
  async consul() {
    const server = await startConsul();
    return selfRegistering(consul({ url: server.url }), { registry: "consul", url: server.url }, () => server.stop());
  },
  async eureka() {
    const server = await startEureka();
    return selfRegistering(eureka({ servers: [server.url], refreshMs: 500 }), { registry: "eureka", url: server.url }, () => server.stop());
  },
  async dns() {
    const server = await startBind();
    await server.set("host", "A", ["127.0.0.1"], 1);
    return {
      discovery: dns({ type: "SRV", name: "_{service}._tcp.test", servers: [server.address] }),
      selfRegistration: undefined,
      publish: (ports) =>
        server.set(
          "_shop._tcp",
          "SRV",
          [...ports.values()].map((port) => `10 10 ${port} host.test.`),
          1,
        ),
      close: () => server.stop(),
    };
  },
};

/** A registry that the instances register themselves with. */
function selfRegistering(discovery: Discovery, selfRegistration: SelfRegistration, close: () => Promise<void>): DemoRegistry {
  return { discovery, selfRegistration, publish: async () => {}, close };
}
