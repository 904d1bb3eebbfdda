// Calls `greeter` forty times a second until it is told to end, prints each retry, and serves its metrics to Prometheus.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh } from "inmesh";
import { consul } from "inmesh/consul";
import type { Observer } from "inmesh/extend";
import { prometheus } from "inmesh/prometheus";

const metrics = prometheus();
const printRetries: Observer = {
  onEvent(event) {
    if (event.type === "retry") console.log(`retry of a call to ${event.service}: ${event.reason}`);
  },
};
const mesh = createMesh({
  discovery: consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" }),
  observers: [metrics, printRetries],
  services: { greeter: { attemptTimeoutMs: 500 } },
});

const server = createServer(metrics.handler).listen(Number(process.env["PORT"] ?? 9464), "127.0.0.1", () => {
  console.log(`metrics at http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
});

const end = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end.abort());

while (!end.signal.aborted) {
  const answers = new Map<string, number>();
  for (let round = 0; round < 10; round++) {
    const texts = await Promise.all([hello(), hello(), hello(), hello()]);
    for (const text of texts) answers.set(text, (answers.get(text) ?? 0) + 1);
    await pause(100);
  }
  console.log([...answers].map(([text, times]) => `${times} × ${text}`).join(", "));
}

console.log(String(mesh.explain("greeter"))); // each instance: whether it may be picked, and why
await mesh.close();
server.close();

async function hello(): Promise<string> {
  const response = await mesh.fetch("greeter/hello");
  return `${response.status} ${await response.text()}`;
}
