// A process: node scrape-process.ts SERVICES ENDPOINTS EXCHANGES. Scrapes the metrics of a mesh that has called all of them.
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "../src/index.ts";
import { prometheus } from "../src/telemetry/prometheus.ts";
import { memoryRegistry } from "../src/testing/memory-registry.ts";
import { answerParent } from "./children.ts";

/** One scrape. */
export interface ScrapeSample {
  /** Milliseconds to write the text. */
  readonly textMs: number;
  /** Milliseconds of this process's CPU until a client has read the text over a socket. */
  readonly cpuMs: number;
  /** Milliseconds of time for the same. */
  readonly httpMs: number;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly lines: number;
}

/** A method and a status, with which a service is called once per occurrence. */
export const exchanges: readonly (readonly [string, number])[] = [
  ["GET", 200],
  ["POST", 201],
  ["GET", 404],
];

async function read(port: number, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const sent = request({ host: "127.0.0.1", port, path: "/metrics", headers, agent: false }).end();
  const [response] = await once(sent, "response");
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).byteLength;
  return bytes;
}

if (import.meta.main) {
  const [services, endpoints, kinds] = process.argv.slice(2).map(Number) as [number, number, number];
  const server = createServer((incoming, response) => {
    incoming.resume();
    response.writeHead(Number(incoming.headers["x-status"])).end("{}");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const registry = memoryRegistry();
  const names = Array.from({ length: services }, (_, index) => `service-${index}`);
  for (const name of names) {
    registry.set(
      name,
      Array.from({ length: endpoints }, (_, index) => ({ id: `${name}-${index}`, host: "127.0.0.1", port })),
    );
  }
  const metrics = prometheus();
  const mesh = createMesh({ discovery: registry, observers: [metrics] });
  for (const name of names) {
    for (const [method, status] of exchanges.slice(0, kinds)) {
      await (await mesh.fetch(`${name}/path`, { method, headers: { "x-status": String(status) } })).text();
    }
  }
  const scraped = createServer(metrics.handler);
  await once(scraped.listen(0, "127.0.0.1"), "listening");
  const { port: scrapePort } = scraped.address() as AddressInfo;
  answerParent<"scrape", ScrapeSample | number>(0, async () => {
    const textAt = performance.now();
    const text = await metrics.metrics();
    const textMs = performance.now() - textAt;
    const before = process.cpuUsage();
    const httpAt = performance.now();
    const bytes = await read(scrapePort);
    const httpMs = performance.now() - httpAt;
    const { user, system } = process.cpuUsage(before);
    const gzipBytes = await read(scrapePort, { "accept-encoding": "gzip" });
    return { textMs, httpMs, cpuMs: (user + system) / 1_000, bytes, gzipBytes, lines: text.split("\n").length };
  });
}
