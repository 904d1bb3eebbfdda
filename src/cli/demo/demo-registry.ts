import type { Discovery } from "../../index.ts";
import { memoryRegistry } from "../../testing/index.ts";
import type { SelfRegistration } from "./instances.ts";

/** The registry that the demo runs on. */
export interface DemoRegistry {
  readonly discovery: Discovery;
  /** Where the instances register themselves. */
  readonly selfRegistration: SelfRegistration | undefined;
  /** Makes the instances known, where they don't do it themselves. */
  publish(ports: ReadonlyMap<string, number>): Promise<void>;
  close(): Promise<void>;
}

/** A registry in memory: needs no server. */
export function memoryDemoRegistry(): DemoRegistry {
  const registry = memoryRegistry();
  return {
    discovery: registry,
    selfRegistration: undefined,
    async publish(ports) {
      registry.set(
        "shop",
        [...ports].map(([name, port]) => ({ id: `shop-${name}`, host: "127.0.0.1", port })),
      );
    },
    close: async () => {},
  };
}
