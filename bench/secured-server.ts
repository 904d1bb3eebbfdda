// A process with one server: node secured-server.ts NAME DIRECTORY. It answers every request with a JSON document of 250 bytes.
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createMesh, staticDiscovery } from "../src/index.ts";
import { type Policy, type ServeOptions, serve } from "../src/server/server.ts";
import { prometheus } from "../src/telemetry/prometheus.ts";
import { answerParent } from "./children.ts";
import { identityIn } from "./secured-identity.ts";
import { rules } from "./secured-rules.ts";

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

const policy: Policy = {
  rules: rules.map(({ id, identity, method, pathPrefix }) => ({
    id,
    action: "allow",
    from: { identities: [identity] },
    to: { methods: [method], paths: [`${pathPrefix}**`] },
  })),
};

function served(options: ServeOptions): Server {
  const server = createServer(answer);
  serve(server, { signals: [], log: false, ...options });
  return server;
}

const servers = {
  bare: () => createServer(answer),
  "bare, mutual TLS": () => createSecureServer(tls(), answer),
  serve: () => served({}),
  "serve, mutual TLS": () => served({ identity: identityIn(directory, "server") }),
  "serve, everything": () =>
    served({
      mesh: createMesh({ discovery: staticDiscovery({}), observers: [prometheus()] }),
      identity: identityIn(directory, "server"),
      inbound: { authorization: { policy } },
    }),
};

const server = servers[name as keyof typeof servers]();
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
