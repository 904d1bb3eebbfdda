// A process: a server that answers GET /BYTES with that many bytes, as fast as they are read.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerParent } from "./children.ts";

const chunk = Buffer.alloc(262_144, "x");

const server = createServer((incoming, outgoing) => {
  let left = Number(incoming.url?.slice(1));
  outgoing.writeHead(200, { "content-type": "application/octet-stream", "content-length": left });
  const write = (): void => {
    while (left > 0) {
      const part = left < chunk.byteLength ? chunk.subarray(0, left) : chunk;
      left -= part.byteLength;
      if (!outgoing.write(part)) {
        outgoing.once("drain", write);
        return;
      }
    }
    outgoing.end();
  };
  write();
});
server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
