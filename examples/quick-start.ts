import { createServer } from "node:http";
import { createMesh, staticDiscovery } from "inmesh";

const server = createServer((_, response) => response.end("hello")).listen(7411);
const mesh = createMesh({ discovery: staticDiscovery({ greeter: [{ host: "127.0.0.1", port: 7411 }] }) });

const response = await mesh.fetch("greeter/hello"); // a standard Response
console.log(response.status, await response.text());

await mesh.close();
server.close();
