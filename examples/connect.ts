// A client of Connect that calls a service by gRPC through a mesh: one instance is gone, and a method without side effects is sent to the other.
// examples/connect/prices_pb.ts is generated from prices.proto by `buf generate` with protoc-gen-es.
import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createMesh, staticDiscovery } from "inmesh";
import { meshTransport } from "inmesh/connect";
import { Prices } from "./connect/prices_pb.ts";

const server = createServer(
  connectNodeAdapter({
    routes: (router) =>
      router.service(Prices, {
        get({ item }) {
          if (item !== "tea") throw new ConnectError(`there is no ${item}`, Code.NotFound);
          return { item, cents: 499 };
        },
        async *watch({ item }) {
          for (const cents of [499, 525, 475]) yield { item, cents };
        },
      }),
  }),
).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const mesh = createMesh({
  discovery: staticDiscovery({
    prices: [
      { host: "127.0.0.1", port },
      { host: "127.0.0.1", port: 9 },
    ],
  }),
  services: { prices: { protocol: "h2" } },
});
const prices = createClient(Prices, meshTransport(mesh, "prices", { protocol: "grpc" }));

for (let call = 1; call <= 3; call++) console.log((await prices.get({ item: "tea" })).cents);
for await (const { cents } of prices.watch({ item: "tea" })) console.log(`now ${cents}`);
try {
  await prices.get({ item: "salt" }, { timeoutMs: 1_000 });
} catch (error) {
  console.log(ConnectError.from(error).message);
}
console.log(mesh.explain("prices")?.endpoints.map(({ failures }) => (failures > 0 ? "failing" : "fine")));

await mesh.close();
server.close();
