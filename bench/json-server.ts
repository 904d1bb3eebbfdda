// A process: answers every request, after reading its body, with a JSON document of 250 bytes.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./children.ts";

const document = Buffer.from(JSON.stringify({ id: 42, name: "x".repeat(232) }));

const server = createServer((incoming, outgoing) => {
  const answer = (): void => {
    outgoing.writeHead(200, { "content-type": "application/json", "content-length": document.byteLength }).end(document);
  };
  if (incoming.method === "GET") answer();
  else incoming.resume().on("end", answer);
});
// A client's turn comes seconds after its last one, and not every client tries again where its idle connection is closed in that moment.
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
