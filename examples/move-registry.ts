// `greeter` moves from Eureka to Consul in four steps, while a caller goes on calling. No call fails.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh, fallback, type MeshOptions, union } from "inmesh";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
import { type Serving, serve } from "inmesh/server";

// A registry object belongs to the mesh that closes it, so each mesh has its own.
const atEureka = () => eureka({ servers: [process.env["EUREKA_URL"] ?? "http://127.0.0.1:8761/eureka"], refreshMs: 1_000 });
const atConsul = () => consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" });

// The service: in production, three deployments of it.
async function startGreeter(registrar: ReturnType<typeof atEureka | typeof atConsul>[]): Promise<Serving> {
  const server = createServer(async (_request, response) => {
    await pause(20); // the work
    response.end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const mesh = createMesh({ discovery: registrar[0] as MeshOptions["discovery"] });
  const serving = serve(server, { mesh, register: { service: "greeter", host: "127.0.0.1", registrar }, log: false });
  await serving.started;
  return serving;
}

async function replaced(old: Serving[], registrars: () => Parameters<typeof startGreeter>[0]): Promise<Serving[]> {
  const all = [];
  for (const serving of old) {
    all.push(await startGreeter(registrars()));
    await pause(2_000); // until the caller has heard of the new one
    await serving.stop();
  }
  return all;
}

// The caller: in production, deployments of it between those of the service.
const called = (discovery: MeshOptions["discovery"]) => createMesh({ discovery });

let greeters = [await startGreeter([atEureka()]), await startGreeter([atEureka()])];
const catalogue = atEureka();
while (!(await catalogue.services(AbortSignal.timeout(5_000))).includes("greeter")) await pause(200);

let mesh = called(atEureka());
let calls = 0;
const failures: unknown[] = [];
const running = new Set<Promise<unknown>>();
const load = setInterval(() => {
  calls++;
  const call = mesh
    .fetch("greeter/", { method: "POST" })
    .then((response) => response.text())
    .catch((error) => failures.push(error))
    .finally(() => running.delete(call));
  running.add(call);
}, 10);

async function callThrough(discovery: MeshOptions["discovery"]): Promise<void> {
  const before = mesh;
  const next = called(discovery);
  await next.warm("greeter");
  mesh = next;
  await pause(500);
  await before.close();
  const addresses = next.explain("greeter")?.endpoints.map(({ address }) => address) ?? [];
  console.log(`${addresses.length} instances by ${next.explain("greeter")?.discovery.replaceAll(/ at \S+(?=,| and|$)/g, "")}`);
}

await pause(500);
greeters = await replaced(greeters, () => [atEureka(), atConsul()]); // 1: the service is in both
await callThrough(union(atEureka(), atConsul())); // 2: callers read both; an instance that both list is one
await callThrough(fallback(atConsul(), atEureka())); // 3: callers read Consul, and Eureka while Consul fails
greeters = await replaced(greeters, () => [atConsul()]); // 4: the service leaves Eureka
await callThrough(atConsul()); // callers forget it

clearInterval(load);
await Promise.all(running);
console.log(`${failures.length} of ${calls > 200 ? "all" : calls} calls failed`);
if (failures.length > 0) console.log(failures[0]);
await Promise.all(greeters.map((serving) => serving.stop()));
await mesh.close();
await catalogue.close();
