// A process that serves, for tests of signals. Its argument holds options: { "graceMs": 100, "handlerMs": 50, "ownListener": true }.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { serve } from "../../src/server/server.ts";

const { handlerMs = 0, ownListener = false, ...options } = JSON.parse(process.argv[2] ?? "{}");
const server = createServer((_request, response) => void setTimeout(() => response.end("ok"), handlerMs));
server.listen(0, "127.0.0.1");
const mesh = createMesh({ discovery: staticDiscovery({}) });
if (ownListener) process.on("SIGTERM", () => console.log("own listener"));
const serving = serve(server, { mesh, log: console.log, lameDuckMs: 0, ...options });
await serving.started;
console.log(`port ${(server.address() as AddressInfo).port}`);
