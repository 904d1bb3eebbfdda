// A process with one reverse proxy: node gateway-process.ts CASE PORT... Answers with the port that it listens on.
import { createServer, type RequestListener } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";
import { gateway } from "../src/gateway/gateway.ts";
import { createMesh, staticDiscovery } from "../src/index.ts";
import { answerParent } from "./children.ts";

const require = createRequire(import.meta.url);

/** Makes the proxy of a case, in front of instances on these ports. */
export const gatewayCases = {
  "inmesh/gateway": (ports) => {
    const endpoints = ports.map((port) => ({ host: "127.0.0.1", port }));
    return gateway(createMesh({ discovery: staticDiscovery({ web: endpoints }) }), { service: "web" }).handle;
  },
  "http-proxy": ([port]) => {
    const { Agent } = require("node:http") as typeof import("node:http");
    const proxy = (require("http-proxy") as HttpProxy).createProxyServer({
      target: `http://127.0.0.1:${port}`,
      agent: new Agent({ keepAlive: true }),
      xfwd: true,
    });
    return (request, response) => proxy.web(request, response);
  },
  "fast-proxy, undici": ([port]) => {
    const { proxy } = (require("fast-proxy") as FastProxy)({ base: `http://127.0.0.1:${port}`, undici: { connections: 100 } });
    return (request, response) => proxy(request, response, request.url, {});
  },
  "node:http and undici.request": ([port]) => {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 100 });
    return async (request, response) => {
      const { method, url, headers } = request;
      const hasBody = headers["transfer-encoding"] !== undefined || headers["content-length"] !== undefined;
      const { connection: _connection, ...passed } = headers;
      const answer = await pool.request({
        method: method as "GET",
        path: url as string,
        headers: passed,
        ...(hasBody ? { body: request } : {}),
      });
      const { connection: _ofConnection, "keep-alive": _keepAlive, "transfer-encoding": _coding, ...returned } = answer.headers;
      response.writeHead(answer.statusCode, returned);
      answer.body.pipe(response);
    };
  },
} satisfies Record<string, (ports: readonly number[]) => RequestListener>;

interface HttpProxy {
  createProxyServer(options: object): { web: RequestListener };
}

type FastProxy = (options: object) => {
  proxy(request: unknown, response: unknown, url: unknown, options: object): void;
};

if (import.meta.main) {
  const [name = "", ...ports] = process.argv.slice(2);
  const listener: RequestListener = gatewayCases[name as keyof typeof gatewayCases](ports.map(Number));
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  server.listen(0, "127.0.0.1", () => answerParent((server.address() as AddressInfo).port, () => 0));
}
