import { createServer } from "node:http";
import type { Registrar, Registration } from "../../index.ts";
import type { InstanceOrder, InstanceReport } from "./instances.ts";

/**
 * One instance of the demo's service, in a process of its own: node instance.ts NAME PORT REGISTRY URL. It answers every request, after
 * the delay of the last order, and registers itself when REGISTRY is not empty. It ends with its parent process, even if that is killed.
 */
const [name = "?", portText = "0", registry = "", url = ""] = process.argv.slice(2);
let delayMs = 0;

const server = createServer((incoming, outgoing) => {
  incoming.resume();
  incoming.on("end", () => {
    setTimeout(
      () => {
        outgoing.setHeader("content-type", "application/json");
        outgoing.end(JSON.stringify({ instance: name, method: incoming.method, path: incoming.url }));
      },
      delayMs + 5 * Math.random(),
    );
  });
});

server.listen(Number(portText), "127.0.0.1", async () => {
  const port = (server.address() as { port: number }).port;
  const registration = await register(port);
  process.on("message", (order: InstanceOrder) => {
    if (order.delayMs !== undefined) delayMs = order.delayMs;
    if (order.leave) void registration?.deregister().finally(() => process.disconnect());
  });
  process.send?.({ port } satisfies InstanceReport);
});
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group, but the demo ends its instances itself.
process.on("SIGINT", () => {});

async function register(port: number): Promise<Registration | undefined> {
  const registrar = await registrarFor();
  return registrar?.register({ service: "shop", id: `shop-${name}`, host: "127.0.0.1", port, check: { type: "ttl", ttlMs: 3_000 } });
}

async function registrarFor(): Promise<Registrar | undefined> {
  if (registry === "consul") return (await import("../../registries/consul.ts")).consul({ url });
  if (registry === "eureka") {
    return (await import("../../registries/eureka.ts")).eureka({ servers: [url], heartbeatMs: 1_000, leaseMs: 3_000 });
  }
  return undefined;
}
