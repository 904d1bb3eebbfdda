// Listens with the shortest queue there is; whoever stops this process and fills the queue has a port that drops every further SYN.
import { type AddressInfo, createServer } from "node:net";

const { host = "127.0.0.1", port = 0 } = JSON.parse(process.argv[2] ?? "{}") as { readonly host?: string; readonly port?: number };
const server = createServer();
server.listen({ host, port, backlog: 1 }, () => {
  process.send?.({ type: "listening", port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit());
