import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh } from "inmesh";
import { consul } from "inmesh/consul";
import { callerOf, serve } from "inmesh/server";

const url = process.env["CONSUL_URL"] ?? "http://127.0.0.1:8500";
const registry = consul({ url, connect: true });
// The ids of a Consul mesh begin with its trust domain, which `consul connect ca get-config` and this address tell.
const { TrustDomain } = (await (await fetch(`${url}/v1/connect/ca/roots`)).json()) as { TrustDomain: string };
const idOf = (name: string) => `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/${name}`;

// 1. The server shows the identity that Consul's authority has given it, and takes only callers that show theirs.
const server = createServer((request, response) => response.end(`hello, ${callerOf(request)?.identity}`));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const own = createMesh({ discovery: registry });
const serving = serve(server, {
  mesh: own,
  register: { service: "orders", host: "127.0.0.1", secure: true, registrar: registry },
  identity: registry.identity("orders"),
  callers: { mode: "strict" },
  // 3. It decides which of them may do what. `source: registry.intentions("orders")` leaves that to the intentions in Consul.
  inbound: { authorization: { policy: { rules: [{ id: "web", action: "allow", from: { identities: [idOf("web")] } }] } } },
  signals: [],
  log: false,
});
await serving.started;

// 2. The caller, here in the same process, shows its identity. The id to expect of a server comes with its address, from its name and the trust domain.
const mesh = createMesh({ discovery: registry, identity: registry.identity("web"), peer: { mode: "strict" } });
const response = await mesh.fetch("orders/");
console.log(response.status, (await response.text()).replace(TrustDomain, "TRUST-DOMAIN"));

// Nothing gets in without an identity.
await fetch(`http://127.0.0.1:${port}/`).catch(() => console.log("clear text is refused"));

await mesh.close();
await serving.stop();
await own.close();
