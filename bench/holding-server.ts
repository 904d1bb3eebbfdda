// A process: a server that never answers. Answers its parent with the number of requests that it holds.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./children.ts";

const held = new Set<ServerResponse>();

const server = createServer((_incoming, outgoing) => {
  held.add(outgoing);
  outgoing.on("close", () => held.delete(outgoing));
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 }, () => {
  answerParent<"count", number>((server.address() as AddressInfo).port, () => held.size);
});
