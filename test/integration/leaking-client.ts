// Calls and flaps, and what is left of them: a process of its own, since a test runner has timers, sockets and listeners of its own.
import { getEventListeners } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "../../src/index.ts";
import { memoryRegistry } from "../../src/testing/index.ts";

const collect = globalThis.gc;
if (collect === undefined) throw new Error("needs --expose-gc");

async function heapUsed(): Promise<number> {
  // Finalizers run in turns of their own, and what they let go of is collected by the next collection.
  for (let round = 0; round < 4; round++) {
    collect?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
}

const server = createServer((request, response) => {
  // One in ten fails, so that retries, breakers and ejection have something to keep.
  const isFailing = request.url?.endsWith("7") && request.socket.localAddress === "127.0.0.3";
  response.writeHead(isFailing ? 503 : 200).end("answer");
});
await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
const { port } = server.address() as AddressInfo;
const resources = () => process.getActiveResourcesInfo().sort();
const resourcesBefore = resources();

const registry = memoryRegistry();
const hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
const setHosts = (count: number) =>
  registry.set(
    "orders",
    hosts.slice(0, count).map((host) => ({ host, port })),
  );
setHosts(4);
const mesh = createMesh({
  discovery: registry,
  hedge: {},
  concurrency: {},
  throttle: {},
  balancing: { slowStart: {} },
});
const { signal } = new AbortController();

async function run(calls: number): Promise<number> {
  let failed = 0;
  for (let call = 0; call < calls; call += 20) {
    for (let flap = 0; flap < 20; flap++) setHosts(flap % 2 === 0 ? 2 : 4);
    const answers = Array.from({ length: 20 }, async (_, index) => {
      const response = await mesh.fetch(`orders/${call + index}`, { signal });
      if ((await response.text()) !== "answer" || response.status !== 200) failed++;
    });
    await Promise.all(answers);
  }
  return failed;
}

await run(3_000);
const heapBefore = await heapUsed();
const failed = await run(10_000);
const heapAfter = await heapUsed();
const listeners = getEventListeners(signal, "abort").length;
await mesh.close();
server.closeIdleConnections();
// Closed sockets leave in a turn of their own.
await new Promise((resolve) => setTimeout(resolve, 200));
const resourcesAfterClose = resources();
process.stdout.write(
  JSON.stringify({ calls: 10_000, failed, flaps: 10_000, heapBefore, heapAfter, listeners, resourcesBefore, resourcesAfterClose }),
);
server.close();
