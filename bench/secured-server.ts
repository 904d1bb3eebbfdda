// A process with one server: node secured-server.ts NAME DIRECTORY. It answers every request with a JSON document of 250 bytes.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { answerParent } from "./children.ts";

const document = Buffer.from(JSON.stringify({ id: 42, name: "x".repeat(232) }));
const answer: RequestListener = (_incoming, outgoing) => {
  outgoing.writeHead(200, { "content-type": "application/json", "content-length": document.byteLength }).end(document);
};

const [name = "", directory = ""] = process.argv.slice(2);
const pem = (file: string): string => readFileSync(join(directory, file), "utf8");
const tls = () => ({
  cert: pem("server.pem"),
  key: pem("server-key.pem"),
  ca: pem("authority.pem"),
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: "TLSv1.3" as const,
});

const servers = {
  bare: () => createServer(answer),
  "bare, mutual TLS": () => createSecureServer(tls(), answer),
};

const server = servers[name as keyof typeof servers]();
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
