// Endpoints that come and go with ever new addresses, under each picker, and what is left of them: a process of its own, with --expose-gc, since a test
// runner keeps things of its own.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Picker } from "../../src/balancer/picker.ts";
import {
  adaptive,
  createMesh,
  leastRequest,
  maglev,
  openTelemetry,
  peakEwma,
  prequal,
  random,
  ringHash,
  roundRobin,
  weighted,
} from "../../src/index.ts";
import { prometheus } from "../../src/telemetry/prometheus.ts";
import { memoryRegistry } from "../../src/testing/index.ts";

const pickers: Readonly<Record<string, () => Picker>> = {
  adaptive: () => adaptive(),
  leastRequest: () => leastRequest(),
  maglev: () => maglev({ tableSize: 251, balanceFactor: 125 }),
  peakEwma: () => peakEwma(),
  prequal: () => prequal({ probePath: "/load" }),
  random: () => random(),
  ringHash: () => ringHash({ virtualNodes: 4, balanceFactor: 125 }),
  roundRobin: () => roundRobin(),
  weighted: () => weighted(),
  reported: () => weighted({ by: "reported" }),
};

const collect = globalThis.gc;
if (collect === undefined) throw new Error("needs --expose-gc");

async function heapUsed(): Promise<number> {
  // Longer than connections stay open without a request (`connections.maxIdleMs`), which keep what they lead to for as long.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  // Finalizers run in turns of their own, and what they let go of is collected by the next collection.
  for (let round = 0; round < 5; round++) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
}

let answered = 0;
const server = createServer((_request, response) => {
  // One in nine fails, so that retries, breakers and ejection have something to keep.
  response
    .writeHead(++answered % 9 === 0 ? 503 : 200, { "endpoint-load-metrics": "TEXT named_metrics.rif=1, rps_fractional=10" })
    .end("answer");
});
await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
const { port } = server.address() as AddressInfo;

const registry = memoryRegistry();
let next = 0;
/** Makes what is kept by mistake large enough to be seen. */
const padding = "x".repeat(200);
/** Eight endpoints of each service, at addresses that none has had before. */
function setOthers(): void {
  for (const service of Object.keys(pickers)) {
    const endpoints = Array.from({ length: 8 }, (_, index) => {
      next++;
      const host = `127.${1 + ((next >> 16) & 127)}.${(next >> 8) & 255}.${next & 255}`;
      return { id: `${host}:${next}:${padding}`, host, port, zone: `zone-${index % 3}`, metadata: { version: `${next}${padding}` } };
    });
    registry.set(service, endpoints);
  }
}
setOthers();
const mesh = createMesh({
  discovery: registry,
  services: Object.fromEntries(Object.entries(pickers).map(([service, create]) => [service, { picker: create() }])),
  zone: "zone-1",
  observers: [openTelemetry(), prometheus()],
  hedge: {},
  concurrency: {},
  throttle: {},
  ejection: {},
  healthCheck: { type: "http", path: "/health", intervalMs: 1_000 },
  balancing: { slowStart: {} },
});

async function flap(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    setOthers();
    const calls = Object.keys(pickers).flatMap((service) =>
      [0, 1, 2].map(async (index) => {
        const response = await mesh.fetch(`${service}/${index}`, { mesh: { hashKey: `${next}-${index}` } });
        await response.text();
      }),
    );
    await Promise.allSettled(calls);
  }
}

const rounds = 10;
await flap(6 * rounds);
const heapBefore = await heapUsed();
await flap(rounds);
const heapAfter = await heapUsed();
await flap(9 * rounds);
const heapAtEnd = await heapUsed();
process.stdout.write(JSON.stringify({ addresses: next, answered, heapBefore, heapAfter, heapAtEnd }));
await mesh.close();
server.closeAllConnections();
server.close();
