// `greeter`, a node:http service, answers its callers with data of another service, `users`, that it calls through the mesh.
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, isMeshError, staticDiscovery } from "inmesh";
import { serve } from "inmesh/server";

// The other service, here in the same process: two instances of `users`.
const names = new Map([["42", "Ada"]]);
const users: RequestListener = (request, response) => {
  const name = names.get(request.url?.slice(1) ?? "");
  if (name === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ name }));
};
const instances = [await listen(users), await listen(users)];

// One mesh for the whole process, made once.
const mesh = createMesh({
  discovery: staticDiscovery({ users: instances.map((server) => ({ host: "127.0.0.1", port: portOf(server) })) }),
  timeoutMs: 2_000,
});

const greeter = await listen(async (request, response) => {
  // When the caller closes its connection, the call to `users` ends too.
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const id = encodeURIComponent(request.url?.slice(1) ?? "");
    const user = await mesh.fetch(`users/${id}`, { signal: gone.signal });
    if (!user.ok) {
      await user.body?.cancel();
      response.writeHead(user.status).end(`no user ${id}\n`);
      return;
    }
    const { name } = (await user.json()) as { name: string };
    response.end(`hello, ${name}\n`);
  } catch (error) {
    if (gone.signal.aborted) return;
    // `users` failed, not this service: answer 503, and log the stable code.
    console.error(isMeshError(error) ? `${error.code}: ${error.message}` : error);
    response.writeHead(503).end("try again later\n");
  }
});

// Upon SIGTERM, and here at the end: answers what is under way, and closes the mesh after that. In production `register: { service: "greeter" }`
// makes it known to the registry, and lameDuckMs has a default that suits it.
const serving = serve(greeter, { mesh, lameDuckMs: 0, log: false });

// The rest of this file tries it.
const ask = async (path: string): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${portOf(greeter)}${path}`);
  return `${response.status} ${(await response.text()).trim()}`;
};
console.log(await ask("/42"));
console.log(await ask("/43"));
close(instances[0]);
console.log(await ask("/42"), "(one instance is gone)");
close(instances[1]);
console.log(await ask("/42"), "(both are)");

await serving.stop();

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function close(server: Server | undefined): void {
  server?.close();
  server?.closeAllConnections();
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
