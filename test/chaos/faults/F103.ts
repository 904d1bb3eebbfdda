import { startEureka } from "../../servers/eureka.ts";
import { fault } from "../rig/fault.ts";
import { refreshMs } from "../rig/registry/eureka.ts";
import { scaledIn, staying } from "./scaled-in.ts";

/** The server answers from a cache, which it renews this often in the rig. */
const serverCacheMs = 1_000;

/** Six of eight instances are deregistered properly from Eureka, and go on. */
export const F103 = fault({
  id: "F103",
  name: "eureka-scaled-in",
  needs: ["eureka"],
  minSeconds: 12,
  from: 0.2,
  async setup(world) {
    const [server, instances] = await Promise.all([startEureka(), world.shop(8, {}, 0)]);
    const eureka = world.own(server);
    // Registered for them, and their leases outlast the row: an instance that renews its own would come back.
    for (const { endpoint } of instances) {
      await eureka.register({ app: "shop", instanceId: endpoint.id, host: endpoint.host, port: endpoint.port });
    }
    world.load = { discovery: { kind: "eureka", options: { servers: [eureka.url], refreshMs } } };
    return { eureka, instances };
  },
  async inject({ eureka, instances }) {
    await Promise.all(instances.slice(staying).map(({ endpoint }) => eureka.deregister("shop", endpoint.id)));
  },
  expect: (outcome, { instances }) =>
    scaledIn(
      outcome,
      instances.map(({ endpoint }) => endpoint.id),
      refreshMs + serverCacheMs,
    ),
});
