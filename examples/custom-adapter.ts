// A discovery adapter of one's own: it polls a small HTTP endpoint that lists instances.
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh, type Endpoint } from "inmesh";
import type { Discovery } from "inmesh/extend";

function polling(url: string, everyMs = 5_000): Discovery {
  return {
    name: `list at ${url}`,
    async *watch(service, signal) {
      for (;;) {
        const response = await fetch(`${url}/${encodeURIComponent(service)}`, { signal });
        if (!response.ok) throw new Error(`${url} answered ${response.status}`);
        yield (await response.json()) as Endpoint[];
        await pause(everyMs, undefined, { signal, ref: false });
      }
    },
  };
}

// The rest only serves to try it: two instances of the service `users`, and the endpoint that lists them.
const one = await listen((_request, response) => response.end("instance one"));
const two = await listen((_request, response) => response.end("instance two"));
const services = new Map([["users", [endpoint("one", one), endpoint("two", two)]]]);
let asked = 0;
const list = await listen((request, response) => {
  asked += 1;
  response.end(JSON.stringify(services.get(request.url?.slice(1) ?? "") ?? []));
});

const mesh = createMesh({ discovery: polling(`http://127.0.0.1:${portOf(list)}`, 50) });

console.log("both instances are listed");
console.log("answers:", await answersTo(4));

services.set("users", [endpoint("two", two)]);
// The adapter polls again only after the mesh has used the previous answer.
for (const enough = asked + 2; asked < enough; ) await pause(10);
console.log("instance one has left the list");
console.log("answers:", await answersTo(4));

await mesh.close();
for (const server of [one, two, list]) {
  server.close();
  server.closeAllConnections();
}
console.log("closed");

async function answersTo(calls: number): Promise<string> {
  const answers = new Set<string>();
  for (let call = 0; call < calls; call++) answers.add(await (await mesh.fetch("users/1")).text());
  return [...answers].sort().join(", ");
}

function endpoint(id: string, server: Server): Endpoint {
  return { id, host: "127.0.0.1", port: portOf(server) };
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
