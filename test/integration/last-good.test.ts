import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh } from "../../src/index.ts";
import { memoryRegistry } from "../../src/testing/index.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("lastGoodDirectory", () => {
  it("lets a mesh that starts while the registry is down call what the one before it knew", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-last-good-"));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const server = createServer((_request, response) => response.end("here"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => server.close());
    const registry = memoryRegistry();
    const { port } = server.address() as AddressInfo;
    await registry.register({ service: "orders", host: "127.0.0.1", port });

    const before = createMesh({ discovery: registry, lastGoodDirectory: directory });
    expect(await (await before.fetch("orders/")).text()).toBe("here");
    await before.close();

    const down: Discovery = {
      name: "a registry that is down",
      // biome-ignore lint/correctness/useYield: it fails before it has anything to yield
      async *watch() {
        throw new Error("connect ECONNREFUSED");
      },
    };
    const after = createMesh({ discovery: down, lastGoodDirectory: directory });
    cleanups.push(() => after.close());
    expect(await (await after.fetch("orders/")).text()).toBe("here");
    expect(after.explain("orders")).toMatchObject({ discoveryError: expect.stringContaining("ECONNREFUSED") });
    expect(after.explain("orders")?.ageMs).toBeGreaterThan(0);

    const without = createMesh({ discovery: down });
    cleanups.push(() => without.close());
    await expect(without.fetch("orders/")).rejects.toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
  });
});
