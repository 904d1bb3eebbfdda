import { createServer } from "node:https";
import { describe, expect, test } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import type { ServiceOptions } from "../../src/mesh/service-options.ts";
import { certificate } from "../support/certificate.ts";
import { doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { listening, serve } from "../support/servers.ts";

const address = "127.0.0.1";

function meshTo(port: number, options: Partial<MeshOptions>, own: ServiceOptions) {
  const discovery = staticDiscovery({ svc: [{ host: address, port }] });
  return closing(createMesh({ discovery, drainTimeoutMs: 0, retry: false, ...options, services: { svc: own } }));
}

describe("an option of a service leaves the protection of the mesh in place", () => {
  describe.each(doorNames)("by the door %s", (name) => {
    test.each<[string, ServiceOptions]>([
      ["the name of instances", { peer: { name: "eureka.test" } }],
      ["an empty group", { peer: {} }],
      ["an absent mode", { peer: { mode: undefined as never } }],
      ["limits", { connections: { max: 2 } }],
    ])("T58: TLS, where a service says %s", async (_, own) => {
      const plain = await serve((_request, response) => response.end("clear text"));
      const mesh = meshTo(plain.port, { peer: { mode: "strict" }, tls: { ca: certificate.cert } }, own);
      await expect(doors[name](mesh)).rejects.toThrow();
      expect(plain.begun).toEqual([]);
      if (name === "upgrade") return;
      const secured = createServer({ ...certificate }, (_request, response) => response.end("secured"));
      const named = { ...own, peer: { name: "eureka.test", ...own.peer } };
      const right = meshTo(await listening(secured), { peer: { mode: "strict" }, tls: { ca: certificate.cert } }, named);
      expect((await doors[name](right)).text).toBe("secured");
    });

    test.each<[string, ServiceOptions["connections"] & object]>([
      ["allowCidrs", { allowCidrs: ["10.0.0.0/8"] }],
      ["denyPorts", {}],
      ["refusedAddresses", { refusedAddresses: ["loopback"] }],
    ])("T58: connections.%s, where a service says how many connections there are", async (option, given) => {
      const plain = await serve((_request, response) => response.end("reached"));
      const connections = option === "denyPorts" ? { denyPorts: [plain.port] } : given;
      const mesh = meshTo(plain.port, { connections }, { connections: { max: 2 } });
      await expect(doors[name](mesh)).rejects.toThrow();
      expect(plain.begun).toEqual([]);
    });
  });
});
