import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Discovery } from "../../src/extend.ts";
import type { Registrar } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { memoryRegistry } from "../../src/testing/index.ts";
import { listening } from "./instances.ts";
import { secrets } from "./secrets.ts";

/** A registry that one needs a secret for, and that gives it away when it fails. */
export interface Registry {
  readonly discovery: Discovery & Partial<Registrar>;
  /** From now on each answer is an error that says all that the request said. */
  break(): void;
}

type Ports = Readonly<Record<string, number>>;

/** The answer of a proxy in debugging mode. */
function giveAway(request: IncomingMessage, response: ServerResponse): void {
  const decoded = Buffer.from(request.headers.authorization?.replace("Basic ", "") ?? "", "base64").toString();
  response.writeHead(500).end(`${JSON.stringify(request.headers)} ${decoded} ${request.rawHeaders.join(" ")}`);
}

async function served(answer: (path: string) => unknown, headers: Record<string, string>): Promise<{ url: string; break(): void }> {
  let isBroken = false;
  const server = createServer((request, response) => {
    if (isBroken || request.method !== "GET") giveAway(request, response);
    // A question that waits for a change is answered after a moment.
    else
      setTimeout(
        () => response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(answer(request.url ?? ""))),
        request.url?.includes("index=") ? 100 : 0,
      );
  });
  const port = await listening(server);
  return {
    url: `http://127.0.0.1:${port}`,
    break() {
      isBroken = true;
      server.closeAllConnections();
    },
  };
}

/** Each kind with a secret of its own, listing `ports` by service. */
export const registries: Readonly<Record<"consul" | "eureka" | "memory", (ports: Ports) => Promise<Registry>>> = {
  async consul(ports) {
    const instance = (service: string, port: number) => ({
      Node: { Node: "node", Address: "127.0.0.1" },
      Service: { ID: `${service}-1`, Service: service, Address: "127.0.0.1", Port: port },
      Checks: [],
    });
    const answer = (path: string) => {
      const [, name = ""] = /\/health\/service\/([^?]+)/.exec(path) ?? [];
      return ports[name] === undefined ? [] : [instance(name, ports[name])];
    };
    const server = await served(answer, { "x-consul-index": "7", "x-consul-knownleader": "true", "x-consul-lastcontact": "0" });
    const options = { url: server.url, token: secrets.consulToken, minIntervalMs: 50, requestTimeoutMs: 500, registerTimeoutMs: 300 };
    return { discovery: consul(options), break: () => server.break() };
  },
  async eureka(ports) {
    const application = Object.entries(ports).map(([service, port]) => ({
      name: service.toUpperCase(),
      instance: [
        {
          instanceId: `${service}-1`,
          app: service.toUpperCase(),
          vipAddress: service,
          hostName: "127.0.0.1",
          ipAddr: "127.0.0.1",
          status: "UP",
          port: { $: port, "@enabled": "true" },
        },
      ],
    }));
    const server = await served(() => ({ applications: { application } }), {});
    const url = `${server.url.replace("//", `//admin:${secrets.eurekaPassword}@`)}/eureka`;
    return {
      discovery: eureka({ servers: [url], refreshMs: 100, requestTimeoutMs: 500, registerTimeoutMs: 300 }),
      break: () => server.break(),
    };
  },
  async memory(ports) {
    const registry = memoryRegistry();
    const isSecure = (service: string) => service === "sealed" || service === "forged";
    for (const [service, port] of Object.entries(ports)) registry.set(service, [{ host: "127.0.0.1", port, secure: isSecure(service) }]);
    return { discovery: registry, break: () => registry.fail(new Error("the registry is down")) };
  },
};
