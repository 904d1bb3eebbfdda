import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "inmesh";
import { consul } from "inmesh/consul";

// By default, the agent on this machine.
const registry = consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" });

// An instance is any HTTP server. It is registered once it listens.
const server = createServer((_request, response) => response.end("hello from greeter"));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const registration = await registry.register({ service: "greeter", host: "127.0.0.1", port });

// A client, here in the same process.
const mesh = createMesh({ discovery: registry });
const response = await mesh.fetch("greeter/");
console.log(response.status, await response.text());

// At the end in reverse order: the instance leaves the registry before its server closes.
await registration.deregister();
await mesh.close();
server.close();
