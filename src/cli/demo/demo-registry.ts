import type { Discovery } from "../../extend.ts";
import { memoryRegistry } from "../../testing/index.ts";
import type { SelfRegistration } from "./instances.ts";

/** The registry of a demo. */
export interface DemoRegistry {
  readonly discovery: Discovery;
  /** The registry that the instances register themselves with; `undefined`: {@link publish} lists them. */
  readonly selfRegistration: SelfRegistration | undefined;
  /** Lists the instances, given as ports by name; does nothing where they register themselves. */
  publish(ports: ReadonlyMap<string, number>): Promise<void>;
  close(): Promise<void>;
}

/** A registry in memory, without a server. */
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
