// A service that calls another one through the mesh and serves the metrics of both to Prometheus.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Registry } from "@prometheus-io/client";
import { createMesh, staticDiscovery } from "inmesh";
import { prometheus } from "inmesh/prometheus";

const portOf = async (server: Server): Promise<number> => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
};

// The service that is called.
const prices = createServer((_request, response) => response.end("499"));
const pricesPort = await portOf(prices);

// One registry for the service's own metrics and for those of the mesh.
const registry = new Registry();
const orders = new Counter({ name: "shop_orders_total", help: "Orders taken.", registers: [registry] });
const metrics = prometheus({ registry });
const mesh = createMesh({
  discovery: staticDiscovery({ prices: [{ host: "127.0.0.1", port: pricesPort }] }),
  observers: [metrics],
});

const shop = createServer(async (request, response) => {
  if (request.url === "/metrics") return metrics.handler(request, response);
  const price = await mesh.fetch("prices/tea");
  orders.inc();
  response.end(`tea for ${await price.text()}\n`);
});
const shopPort = await portOf(shop);

// The rest of this file tries it.
const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${shopPort}${path}`)).text();
for (let order = 0; order < 3; order++) console.log((await get("/")).trim());
const scraped = await get("/metrics");
for (const line of scraped.split("\n")) {
  if (/^(shop_orders_total|inmesh_client_call_duration_seconds_count|inmesh_endpoints.*available)/.test(line)) console.log(line);
}

await mesh.close();
for (const server of [shop, prices]) {
  server.closeAllConnections();
  server.close();
}
