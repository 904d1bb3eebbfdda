import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "./available.ts";
import { type EnvoyServer, startEnvoy } from "./envoy.ts";
import { isAlive } from "./is-alive.ts";
import { startNginx } from "./nginx.ts";
import { freePorts } from "./ports.ts";
import type { ServerProcess } from "./process.ts";

interface Proxied {
  readonly servers: readonly Server[];
  readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  /** Connections that were opened to each of the servers. */
  readonly connections: number[];
}

/** One instance that answers with its number, one that answers 503, and a port where nobody listens. */
const instances = async (): Promise<Proxied> => {
  const connections: number[] = [];
  const servers = [200, 503].map((status, index) => {
    connections.push(0);
    const server = createServer((_incoming, outgoing) => outgoing.writeHead(status).end(String(index)));
    server.on("connection", () => {
      connections[index] = (connections[index] ?? 0) + 1;
    });
    return server;
  });
  for (const server of servers) await once(server.listen(0, "127.0.0.1"), "listening");
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const endpoints = [...ports, ...(await freePorts(1))].map((port) => ({ host: "127.0.0.1", port }));
  return { servers, endpoints, connections };
};

describe.each([
  { name: "nginx", start: startNginx },
  { name: "envoy", start: startEnvoy },
] as const)("A real $name", ({ name, start }) => {
  describe.skipIf(!available(name))("as a sidecar", { timeout: 60_000 }, () => {
    let proxied: Proxied;
    let proxy: ServerProcess & { readonly url: string };
    beforeAll(async () => {
      proxied = await instances();
      proxy = await start(proxied.endpoints);
    }, 60_000);
    afterAll(async () => {
      await proxy?.stop();
      for (const server of proxied?.servers ?? []) server.close();
    });

    it("tries another instance when one refuses the connection or answers 503", async () => {
      for (let call = 0; call < 12; call++) {
        const response = await fetch(`${proxy.url}/users/42`);
        expect([response.status, await response.text()]).toEqual([200, "0"]);
      }
    });

    it("keeps its connections to the instances", async () => {
      const [before] = proxied.connections;
      for (let call = 0; call < 12; call++) await (await fetch(`${proxy.url}/users/42`)).text();
      expect((proxied.connections[0] ?? 0) - (before ?? 0)).toBeLessThan(3);
    });

    it("leaves no process behind when it is stopped", async () => {
      const { pid } = proxy;
      await proxy.stop();
      expect(isAlive(pid)).toBe(false);
    });
  });
});

describe.skipIf(!available("envoy"))("Envoy's outlier detection", { timeout: 60_000 }, () => {
  it("ejects an instance that fails five times in a row", async () => {
    const { servers, endpoints } = await instances();
    let envoy: EnvoyServer | undefined;
    try {
      envoy = await startEnvoy(endpoints.slice(0, 2));
      const { url, adminUrl } = envoy;
      const ejections = async (): Promise<number> => {
        await (await fetch(url)).text();
        const stats = await (await fetch(`${adminUrl}/stats?filter=outlier_detection.ejections_enforced_total`)).text();
        return Number(/: (\d+)/.exec(stats)?.[1]);
      };
      await expect.poll(ejections, { timeout: 20_000 }).toBeGreaterThan(0);
    } finally {
      await envoy?.stop();
      for (const server of servers) server.close();
    }
  });
});
