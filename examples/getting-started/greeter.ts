// One instance of the service `greeter`: it registers in Consul, answers, and deregisters before it ends.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { consul } from "inmesh/consul";

const server = createServer((_request, response) => response.end(`hello from ${process.pid}`));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const registry = consul({ url: process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500" });
const registration = await registry.register({ service: "greeter", host: "127.0.0.1", port });
console.log(`instance ${process.pid} listens on port ${port}`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await registration.deregister(); // first: callers stop choosing this instance
    server.close(); // then: requests in flight are answered
  });
}
