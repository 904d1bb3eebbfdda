import type { ConsulOptions } from "../../../../src/registries/consul.ts";
import { type ConsulServer, type ConsulOptions as ServerOptions, startConsul } from "../../../servers/consul.ts";
import type { Instance, World } from "../world.ts";

/** A real Consul in which the instances of `shop` are listed. */
export interface ConsulShop {
  readonly consul: ConsulServer;
  readonly instances: readonly Instance[];
  /** Runs, and is listed only when {@link list} is told to. */
  readonly extra: Instance;
  /** Registers instances; all but the extra one unless told otherwise. */
  list(instances?: readonly Instance[]): Promise<void>;
}

/** Starts one with `count` instances, which the clients of this world find there. */
export async function consulShop(
  world: World,
  count: number,
  options: Partial<ConsulOptions> = {},
  server: ServerOptions = {},
): Promise<ConsulShop> {
  const [consul, instances, [extra]] = await Promise.all([startConsul(server), world.shop(count, {}, 0), world.shop(1, {}, 0)]);
  world.own(consul);
  if (extra === undefined) throw new Error("there is no extra instance");
  const list = async (some: readonly Instance[] = instances): Promise<void> => {
    for (const { endpoint } of some) {
      await consul.registerService({ Name: "shop", ID: endpoint.id, Address: endpoint.host, Port: endpoint.port });
    }
  };
  await list();
  world.load = { discovery: { kind: "consul", options: { url: consul.url, ...options } } };
  return { consul, instances, extra, list };
}
