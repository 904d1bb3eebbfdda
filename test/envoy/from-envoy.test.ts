import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromEnvoy } from "../../src/envoy/envoy.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { assignment, clusterFile, routeFile, withSlips } from "./files.ts";

describe("fromEnvoy", () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "inmesh-envoy-"));
    file = join(directory, "envoy.yaml");
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("makes the options of a mesh whose calls go by the routes of the file", async () => {
    const server = createServer((request, response) => response.end(`${request.method} ${request.url}`)).listen(0, "127.0.0.1");
    try {
      await new Promise((resolve) => server.once("listening", resolve));
      const { port } = server.address() as AddressInfo;
      const text = routeFile('{ match: { prefix: "/api" }, route: { cluster: one, prefix_rewrite: "/v1" } }');
      await writeFile(file, text.replace(assignment("one", [9]), assignment("one", [port])));
      const mesh = createMesh({ ...(await fromEnvoy(file)), observers: [] });
      try {
        expect(await (await mesh.fetch("http://any.example/api/users?a=b")).text()).toBe("GET /v1/users?a=b");
        expect((await mesh.fetch("http://any.example/other")).status).toBe(404);
      } finally {
        await mesh.close();
      }
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it("takes a source of endpoints that exists for clusters without any, and tells notices to a listener that may fail", async () => {
    await writeFile(file, withSlips);
    const discovery = staticDiscovery({ myservice: [] });
    let notices = 0;
    const options = await fromEnvoy(file, {
      discovery,
      onNotice() {
        notices++;
        throw new Error("of the listener");
      },
    });
    expect(options.discovery).toBe(discovery);
    expect(notices).toBeGreaterThan(6);
  });

  it("says which option a mesh would not take, and leads to no place that the file does not have", async () => {
    await writeFile(
      file,
      clusterFile(
        "health_checks: [{ timeout: 1s, interval: 5s, unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: { path: no-path } }]",
      ),
    );
    await expect(fromEnvoy(file)).rejects.toThrow(
      /envoy\.yaml: a mesh does not take what it comes to: services\.one\.healthCheck\.path must be a path/,
    );
    await expect(fromEnvoy(file)).rejects.toMatchObject({ name: "EnvoyError" });
  });

  it("rejects where there is no such file", async () => {
    await expect(fromEnvoy(join(directory, "none.yaml"))).rejects.toThrow(/none\.yaml: ENOENT/);
  });
});
