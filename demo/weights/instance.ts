import { pbkdf2Sync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/core/clock.ts";
import { type InboundHost, InboundRequest } from "../../src/server/inbound/inbound-request.ts";
import { loadOptions } from "../../src/server/inbound/load/load-options.ts";
import { LoadPart } from "../../src/server/inbound/load/load-part.ts";
import { ProcessLoad } from "../../src/server/inbound/load/process-load.ts";
import { inbound } from "../../src/server/server.ts";
import type { CpuQuotas } from "./cpu-quota.ts";

/**
 * One instance of the demo of weights, in a process of its own: node instance.ts CPUS KIND. Each request costs some CPU, and each response carries its load
 * report. It begins when its parent says that its CPU is limited, and ends with its parent.
 */
const cpus = Number(process.argv[2] ?? 1);
const kind = process.argv[3] as CpuQuotas["kind"];

const handle: RequestListener = (_request, response) => {
  pbkdf2Sync("demo", "weights", 4_000, 32, "sha256");
  response.end("ok");
};

/** The middleware as any service has it. */
function reported(): RequestListener {
  const guard = inbound({ load: { header: "always" } });
  return (request, response) => guard(request, response, () => handle(request, response));
}

/** Its part that reports, with the files of cgroup v2 as a container would have them, where this machine has version 1. */
function reportedAsInContainer(): RequestListener {
  const files: Readonly<Record<string, () => string>> = {
    "/proc/self/cgroup": () => "0::/\n",
    "/sys/fs/cgroup/cpu.max": () => `${cpus * 100_000} 100000\n`,
    "/sys/fs/cgroup/cpu.stat"() {
      const { user, system } = process.cpuUsage();
      return `usage_usec ${user + system}\n`;
    },
  };
  const load = new ProcessLoad(
    systemClock,
    () => part.inFlight > 0,
    (path) => files[path]?.(),
  );
  const part: LoadPart = new LoadPart({ ...loadOptions.settle({}), header: "always" }, load, () => systemClock.now());
  const host: InboundHost = {
    parts: [part],
    clock: systemClock,
    routeOf: () => undefined,
    priorityOf: () => "normal",
    handle: (_record, next) => next(),
  };
  return (request, response) => {
    const record = new InboundRequest(host, request, response, () => handle(request, response), systemClock.now());
    response.once("close", () => record.end());
    if (!record.run()) record.handle();
  };
}

/**
 * A report of the CPU alone, where signals limit the process: the time for which it is stopped counts for the event loop as busy or idle by chance, while
 * a control group stops only what is busy.
 */
function reportedByHand(): RequestListener {
  const sampleMs = 500;
  const smoothing = 0.3;
  let [ended, rps, utilization] = [0, 0, 0];
  let sampledAt = performance.now();
  let usage = process.cpuUsage();
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
  return (request, response) => {
    ended++;
    response.setHeader("endpoint-load-metrics", `TEXT cpu_utilization=${utilization.toFixed(4)}, rps_fractional=${rps.toFixed(2)}`);
    handle(request, response);
  };
}

const reports: Readonly<Record<CpuQuotas["kind"], () => RequestListener>> = {
  "cgroup v2": reported,
  "cgroup v1": reportedAsInContainer,
  signals: reportedByHand,
};

process.once("message", () => {
  // Now: a container, too, has its limit before its program begins.
  const server = createServer(reports[kind]());
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
process.send?.("loaded");
process.on("disconnect", () => process.exit());
// Ctrl-C reaches the whole process group, but the demo ends its instances itself.
process.on("SIGINT", () => {});
