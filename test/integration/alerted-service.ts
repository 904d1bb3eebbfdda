// A process whose server gets into trouble as a test says, with its metrics on a port of their own. Its argument holds settings: { "consul": url }.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "../../src/mesh/mesh.ts";
import { consul } from "../../src/registries/consul.ts";
import { serve } from "../../src/server/server.ts";
import { prometheus } from "../../src/telemetry/prometheus.ts";

/** A trouble to make, or to end. */
export type Trouble = { readonly make: "overload" | "stuck stop" | "overrun" } | { readonly end: "overload" | "stuck stop" };

/** News of the process: its port for metrics and the id of its registration; the end of a stop that has cut requests off. */
export type ServiceNews = { readonly metricsPort: number; readonly id: string } | { readonly cutOff: number };

const { consul: url } = JSON.parse(process.argv[2] ?? "{}") as { readonly consul: string };
const host = "127.0.0.1";
const tell = (news: ServiceNews): void => void process.send?.(news);
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const metrics = prometheus();
const mesh = createMesh({ discovery: consul({ url }), observers: [metrics] });
const metricsServer = createServer(metrics.handler);
await once(metricsServer.listen(0, host), "listening");

const server = createServer((_request, response) => void response.end("ok"));
await once(server.listen(0, host), "listening");
const serving = serve(server, {
  mesh,
  signals: [],
  log: false,
  register: { service: "shop", host, check: { type: "ttl", ttlMs: 3_000 } },
  inbound: { shedding: { maxLagMs: 20 } },
});
await serving.started;

/** Another server of the process, with a request that never ends. */
async function hanging(graceMs: number) {
  const other = createServer(() => {});
  await once(other.listen(0, host), "listening");
  const stopping = serve(other, { mesh, signals: [], log: false, lameDuckMs: 0, graceMs, register: { service: "shop", host } });
  await stopping.started;
  const aborted = new AbortController();
  fetch(`http://${host}:${portOf(other)}`, { signal: aborted.signal }).catch(() => {});
  await once(other, "request");
  return { stopping, giveUp: () => aborted.abort() };
}

// Ten requests a second, so that a share can be refused.
setInterval(() => void fetch(`http://${host}:${portOf(server)}`).then((response) => response.text()), 100);
let overload: NodeJS.Timeout | undefined;
let stuck: Awaited<ReturnType<typeof hanging>> | undefined;

process.on("message", async (trouble: Trouble) => {
  if ("end" in trouble) {
    clearInterval(overload);
    if (trouble.end === "stuck stop") stuck?.giveUp();
  } else if (trouble.make === "overload") {
    // The one thread does something else for most of the time.
    overload = setInterval(() => {
      const endAt = performance.now() + 120;
      while (performance.now() < endAt);
    }, 20);
  } else if (trouble.make === "stuck stop") {
    stuck = await hanging(600_000);
    void stuck.stopping.stop();
  } else {
    const { stopping } = await hanging(50);
    const { cutOff } = await stopping.stop();
    tell({ cutOff });
  }
});
process.on("disconnect", () => process.exit());

tell({ metricsPort: portOf(metricsServer), id: serving.registration?.id ?? "" });
