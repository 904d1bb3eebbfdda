// Two fastify services: `orders` calls `prices` through the mesh.
import { fastify } from "fastify";
import { createMesh, isMeshError, type Mesh, staticDiscovery } from "inmesh";
import { inmeshPlugin } from "inmesh/fastify";

declare module "fastify" {
  interface FastifyInstance {
    readonly mesh: Mesh;
  }
}

const prices = fastify();
prices.get("/prices/:item", async (request) => {
  const { item } = request.params as { item: string };
  return { item, cents: 499 };
});
const address = new URL(await prices.listen({ host: "127.0.0.1", port: 0 }));

const orders = fastify();
const mesh = createMesh({
  discovery: staticDiscovery({ prices: [{ host: "127.0.0.1", port: Number(address.port) }] }),
  services: { prices: { attemptTimeoutMs: 500 } },
});
orders.decorate("mesh", mesh);
// Registers where it is told to, and makes `orders.close()` and SIGTERM answer what is under way before the mesh is closed.
await orders.register(inmeshPlugin, { mesh, lameDuckMs: 0, log: false });

// For all routes: a call to another service failed.
orders.setErrorHandler((error, request, reply) => {
  if (!isMeshError(error)) return reply.send(error);
  request.log.warn(error);
  return reply.code(503).send({ code: error.code, service: error.service, isSafeToRepeat: !error.maybeExecuted });
});

orders.post("/orders/:item", async (request) => {
  const { item } = request.params as { item: string };
  const price = await orders.mesh.fetch(`prices/prices/${encodeURIComponent(item)}`);
  const { cents } = (await price.json()) as { cents: number };
  return { item, total: cents * 2 };
});

// The rest of this file tries it.
const first = await orders.inject({ method: "POST", url: "/orders/tea" });
console.log(first.statusCode, first.body);
await prices.close();
const second = await orders.inject({ method: "POST", url: "/orders/tea" });
console.log(second.statusCode, second.body);
await orders.close();
