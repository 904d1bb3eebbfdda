// Two workers serve `greeter` on one port, as one instance in Consul. They are replaced one after the other, while a caller goes on calling. No call fails.
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh } from "inmesh";
import { consul } from "inmesh/consul";
import { serve } from "inmesh/server";

const mesh = createMesh({ discovery: consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" }) });

if (cluster.isPrimary) await lead();
else await work();

async function work(): Promise<void> {
  const server = createServer((_request, response) => response.end(`hello from worker ${cluster.worker?.id}`));
  server.listen(0, "127.0.0.1"); // all workers get the same port
  const serving = serve(server, { mesh, register: { service: "greeter", host: "127.0.0.1" }, log: false });
  await serving.started;
  process.send?.("ready"); // heard below; PM2 waits for it with wait_ready
}

async function startWorker(): Promise<Worker> {
  const worker = cluster.fork();
  await once(worker, "message");
  return worker;
}

async function lead(): Promise<void> {
  const workers = [await startWorker(), await startWorker()];
  const answers = new Set<string>();
  let failed = 0;
  let isOver = false;
  const calls = (async () => {
    while (!isOver) {
      const call = mesh.fetch("greeter/", { method: "POST" }).then((response) => response.text());
      await call.then((text) => answers.add(text)).catch(() => failed++);
      await pause(2);
    }
  })();

  await pause(200);
  for (const [index, worker] of workers.entries()) {
    workers[index] = await startWorker(); // first the new one
    worker.process.kill("SIGTERM"); // then the old one goes
    await once(worker, "exit");
  }
  await pause(200);

  isOver = true;
  await calls;
  console.log(`${failed} calls failed; ${mesh.explain("greeter")?.endpoints.length} instance, answers from ${answers.size} workers`);
  for (const worker of workers) {
    worker.process.kill("SIGTERM");
    await once(worker, "exit");
  }
  await mesh.close();
}
