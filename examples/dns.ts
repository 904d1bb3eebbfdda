import { createMesh, dns } from "inmesh";

// By default, Consul's DNS server on this machine. Its SRV records hold addresses and ports.
const discovery = dns({
  servers: [process.env["DNS_SERVER"] ?? "127.0.0.1:8600"],
  name: process.env["DNS_NAME"] ?? "{service}.service.consul",
});

const mesh = createMesh({ discovery });
const response = await mesh.fetch("greeter/");
console.log(response.status, await response.text());
await mesh.close();
