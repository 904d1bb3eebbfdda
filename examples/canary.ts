// A new version of a service that takes over step by step, and one that fails and is taken back.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, openTelemetry, staticDiscovery } from "inmesh";

const portOf = async (server: Server): Promise<number> => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
};

// Two versions of one service. The second one fails for half of its requests.
let requests = 0;
const stable = createServer((_request, response) => response.end("from 1.4.0"));
const next = createServer((_request, response) => {
  response.statusCode = requests++ % 2 === 0 ? 500 : 200;
  response.end("from 2.0.0");
});

const mesh = createMesh({
  discovery: staticDiscovery({
    orders: [
      { host: "127.0.0.1", port: await portOf(stable), metadata: { version: "1.4.0" } },
      { host: "127.0.0.1", port: await portOf(next), metadata: { version: "2.0.0" } },
    ],
  }),
  routes: [
    {
      name: "orders 2",
      match: { service: "orders" },
      split: {
        targets: [
          { name: "stable", subset: { version: "<2" } },
          { name: "new", subset: { version: "^2" } },
        ],
        canary: { steps: [10, 50, 100], stepMs: 60_000, minCalls: 100 },
      },
    },
  ],
  observers: [openTelemetry(), { onEvent: (event) => event.type === "canary" && console.log(`canary of "${event.rule}": ${event.change}`) }],
});

// The rest of this file calls until the canary has been taken back.
const canary = mesh.canary("orders 2");
while (canary?.reading().state !== "rolled-back") {
  for (let call = 0; call < 50; call++) await (await mesh.fetch("orders/42")).text();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const answers = new Set<string>();
for (let call = 0; call < 50; call++) answers.add(await (await mesh.fetch("orders/42")).text());
console.log(`calls go ${[...answers].join(" and ")}`);

await mesh.close();
for (const server of [stable, next]) server.close();
