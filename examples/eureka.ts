import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "inmesh";
import { eureka } from "inmesh/eureka";

// By default, the server on this machine.
const registry = eureka({ servers: [process.env["EUREKA_URL"] ?? "http://127.0.0.1:8761/eureka"], refreshMs: 1_000 });

// An instance is any HTTP server. It is registered once it listens.
const server = createServer((_request, response) => response.end("hello from greeter"));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const registration = await registry.register({ service: "greeter", host: "127.0.0.1", port });

// A client, here in the same process. Eureka lists an instance some time after it was registered: up to 30 seconds with
// the server's defaults.
const mesh = createMesh({ discovery: registry });
while (!(await registry.services(AbortSignal.timeout(5_000))).includes("greeter")) await new Promise((resolve) => setTimeout(resolve, 200));
const response = await mesh.fetch("greeter/");
console.log(response.status, await response.text());

// At the end in reverse order: the instance leaves the registry before its server closes.
await registration.deregister();
await mesh.close();
server.close();
