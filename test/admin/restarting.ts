// A process: node restarting.ts ADMIN_PORT INSTANCE_PORT. Calls one service steadily and serves its page; for tests that end it.
import { admin } from "../../src/admin/admin.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";

const [port = 0, instance = 0] = process.argv.slice(2).map(Number);
const mesh = createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: instance }] }) });
await admin(mesh, { port });
setInterval(() => {
  mesh
    .fetch("orders/1")
    .then((response) => response.text())
    .catch(() => {});
}, 20);
process.send?.("ready");
process.on("disconnect", () => process.exit());
