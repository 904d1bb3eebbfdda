import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";
import { callerOf, serve } from "inmesh/server";
import { workloadApi } from "inmesh/spiffe";

// The agent is found by SPIFFE_ENDPOINT_SOCKET. Hints are for this program alone, which is two workloads in one process.
// 1. The server shows its identity, and takes only callers that show theirs.
const server = createServer((request, response) => response.end(`hello, ${callerOf(request)?.identity}`));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const serving = serve(server, {
  identity: workloadApi({ hint: "orders" }),
  callers: { mode: "strict" },
  // 3. It decides which of them may do what.
  inbound: { authorization: { policy: { rules: [{ id: "web", action: "allow", from: { identities: ["spiffe://example.org/web"] } }] } } },
  signals: [],
  log: false,
});
await serving.started;

// 2. The caller shows its identity, and demands that of the server.
const mesh = createMesh({
  discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port }] }),
  identity: workloadApi({ hint: "web" }),
  services: { orders: { peer: { mode: "strict", id: "spiffe://example.org/orders" } } },
});
const response = await mesh.fetch("orders/");
console.log(response.status, await response.text());

// Nothing gets in without an identity.
await fetch(`http://127.0.0.1:${port}/`).catch(() => console.log("clear text is refused"));

await mesh.close();
await serving.stop();
