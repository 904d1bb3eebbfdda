import type { EurekaOptions } from "../../../../src/registries/eureka.ts";
import { type EurekaServer, type EurekaOptions as ServerOptions, startEureka } from "../../../servers/eureka.ts";
import type { InstanceConfig } from "../instance-config.ts";
import type { Instance, World } from "../world.ts";

/** A real Eureka in which the instances of `shop` are listed. */
export interface EurekaShop {
  readonly eureka: EurekaServer;
  readonly instances: readonly Instance[];
}

/** How often the clients of these rows fetch: the default, 10 s, is longer than most of them. */
export const refreshMs = 500;

/** Starts one with instances that register themselves, and waits until the clients of this world would find them. */
export async function eurekaShop(
  world: World,
  count: number,
  server: ServerOptions = {},
  config: Partial<InstanceConfig> = {},
): Promise<EurekaShop> {
  const eureka = world.own(await startEureka(server));
  const registration = { kind: "eureka", options: registrantOf(eureka) } as const;
  const instances = await world.shop(count, { registration, ...config }, 0);
  world.load = { discovery: { kind: "eureka", options: { servers: [eureka.url], refreshMs } } };
  return { eureka, instances };
}

/** How instances register: reporting every second, trying for longer than any row lasts. */
export function registrantOf({ url }: EurekaServer): EurekaOptions {
  return { servers: [url], heartbeatMs: 1_000, registerTimeoutMs: 120_000 };
}
