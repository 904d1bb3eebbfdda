import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";
import { admin, type MeshSnapshot } from "inmesh/admin";

const server = createServer((_request, response) => response.end("hello")).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const mesh = createMesh({ discovery: staticDiscovery({ greeter: [{ host: "127.0.0.1", port }] }) });

// In production the port is fixed (7412 by default), so that an open page reconnects to the next process.
const page = await admin(mesh, { port: 0 });
console.log(`open ${page.url} in a browser`);

for (let call = 0; call < 3; call++) await (await mesh.fetch("greeter/hello")).text();

// The page's data is JSON, which scripts can read; `inmesh stat` reads the same.
const { services } = (await (await fetch(new URL("api/mesh", page.url))).json()) as MeshSnapshot;
for (const { service, breaker, endpoints } of services) console.log(`${service}: ${endpoints.available} available, breaker ${breaker}`);

await mesh.close(); // and the page with it
server.close();
