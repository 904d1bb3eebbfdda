import { listedInstance, registryOf, type ScriptedEureka, scriptedEureka } from "../../../registries/eureka/scripted-eureka.ts";
import type { Instance, World } from "../world.ts";

/** A Eureka whose every answer can be scripted. */
export interface ScriptedEurekaShop {
  readonly server: ScriptedEureka;
  /** What is listed, by instance and status. */
  listed: readonly { readonly instance: Instance; readonly status: string }[];
  /** It takes requests and does not answer. */
  hangs: boolean;
}

/** Starts one that lists these instances as up. */
export async function scriptedEurekaShop(world: World, instances: readonly Instance[]): Promise<ScriptedEurekaShop> {
  const server = world.own(
    await scriptedEureka(({ path }) => {
      if (shop.hangs) return undefined;
      // A delta that lies: whoever believes it has the wrong instances.
      if (path.includes("/delta"))
        return { body: JSON.stringify({ applications: { versions__delta: "9", apps__hashcode: "UP_99_", application: [] } }) };
      return {
        headers: { "content-type": "application/json" },
        body: registryOf(...shop.listed.map(({ instance, status }) => entryOf(instance, status))),
      };
    }),
  );
  const shop: ScriptedEurekaShop = { server, listed: instances.map((instance) => ({ instance, status: "UP" })), hangs: false };
  return shop;
}

function entryOf({ endpoint: { id, host, port } }: Instance, status: string): Readonly<Record<string, unknown>> {
  return listedInstance({
    instanceId: id,
    app: "SHOP",
    vipAddress: "shop",
    hostName: host,
    ipAddr: host,
    status,
    port: { $: port, "@enabled": "true" },
  });
}
