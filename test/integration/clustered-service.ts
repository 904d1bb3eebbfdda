// A service of several workers, for tests: the primary forks and signals workers as the test says, and tells it what they do.
// Its argument holds settings: { "consul": url, "service": "orders", "lameDuckMs": 5000 }.
import cluster, { type Worker } from "node:cluster";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { InstanceStatus } from "../../src/registration/registrar.ts";
import { consul } from "../../src/registries/consul.ts";
import { serve } from "../../src/server/server.ts";

/** A request of the test: a new worker; a signal for the one with this number; what it sets on its registration. */
export type Order =
  | { readonly fork: true }
  | { readonly worker: number; readonly signal: NodeJS.Signals | "disconnect" }
  | { readonly worker: number; readonly set: { readonly status?: InstanceStatus; readonly weight?: number } };

/** News of a worker. */
export type News =
  | { readonly worker: number; readonly pid: number; readonly port: number; readonly started: true }
  | { readonly worker: number; readonly done: string }
  | { readonly worker: number; readonly set: true }
  | { readonly worker: number; readonly line: string }
  | { readonly worker: number; readonly exit: number | string | null };

/** The settings of the service. */
export interface ServiceSettings {
  readonly consul: string;
  readonly service: string;
  readonly ttlMs: number;
  readonly lameDuckMs?: number;
  /** Absent: one that is free. */
  readonly port?: number;
}

const settings = JSON.parse(process.argv[2] ?? "{}") as ServiceSettings;

if (cluster.isPrimary) lead();
else await work();

function lead(): void {
  const workers = new Map<number, Worker>();
  const tell = (news: News): void => void process.send?.(news);
  process.on("message", (order: Order) => {
    if ("fork" in order) {
      const worker = cluster.fork();
      workers.set(worker.id, worker);
      worker.on("message", (news: object) => tell({ worker: worker.id, ...news } as News));
      worker.on("exit", (code, signal) => tell({ worker: worker.id, exit: signal ?? code }));
    } else if ("set" in order) workers.get(order.worker)?.send(order.set);
    else if (order.signal === "disconnect") workers.get(order.worker)?.disconnect();
    else workers.get(order.worker)?.process.kill(order.signal);
  });
  process.on("disconnect", () => {
    for (const worker of workers.values()) worker.process.kill("SIGKILL");
    process.exit();
  });
}

async function work(): Promise<void> {
  const tell = (news: object): void => void (process.connected && process.send?.(news));
  const server = createServer((request, response) => {
    request.resume().on("end", async () => {
      tell({ done: request.url });
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 95));
      response.end(String(process.pid));
    });
  });
  server.listen(settings.port ?? 0, "127.0.0.1");
  const mesh = createMesh({ discovery: consul({ url: settings.consul }) });
  const serving = serve(server, {
    mesh,
    register: { service: settings.service, host: "127.0.0.1", check: { type: "ttl", ttlMs: settings.ttlMs } },
    log: (line) => tell({ line }),
    ...(settings.lameDuckMs === undefined ? {} : { lameDuckMs: settings.lameDuckMs }),
  });
  process.on("message", async ({ status, weight }: { readonly status?: InstanceStatus; readonly weight?: number }) => {
    if (status !== undefined) await serving.registration?.setStatus(status);
    if (weight !== undefined) await serving.registration?.setWeight(weight);
    tell({ set: true });
  });
  await serving.started;
  tell({ started: true, pid: process.pid, port: (server.address() as AddressInfo).port });
}
