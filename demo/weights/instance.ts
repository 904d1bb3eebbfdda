import { pbkdf2Sync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * One instance of the demo of weights, in a process of its own: node instance.ts CPUS. Each request costs some milliseconds of CPU, and each response
 * carries the load report. It ends with its parent process.
 */
const cpus = Number(process.argv[2] ?? 1);
const sampleMs = 500;
const smoothing = 0.5;

let ended = 0;
let rps = 0;
let utilization = 0;
let sampledAt = performance.now();
let usage = process.cpuUsage();

/** The CPU as a share of the quota, as a container's meter has it, and the requests per second. */
setInterval(() => {
  const now = performance.now();
  const seconds = (now - sampledAt) / 1_000;
  const { user, system } = process.cpuUsage(usage);
  usage = process.cpuUsage();
  sampledAt = now;
  rps += smoothing * (ended / seconds - rps);
  utilization += smoothing * ((user + system) / 1e6 / seconds / cpus - utilization);
  ended = 0;
}, sampleMs).unref();

const server = createServer((_request, response) => {
  pbkdf2Sync("demo", "weights", 4_000, 32, "sha256");
  ended++;
  response.setHeader("endpoint-load-metrics", `TEXT cpu_utilization=${utilization.toFixed(4)}, rps_fractional=${rps.toFixed(2)}`);
  response.end("ok");
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group, but the demo ends its instances itself.
process.on("SIGINT", () => {});
