import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh, fileDiscovery } from "../../src/index.ts";
import { available } from "../servers/available.ts";
import { until } from "../support/until.ts";
import { type RealRegistry, realRegistries, registryNames } from "./real-registries.ts";

const timeout = 120_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

/** An instance that answers with its name. */
async function instance(name: string) {
  const server: Server = createServer((_request, response) => response.end(name));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const die = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  cleanups.push(die);
  return { port: (server.address() as AddressInfo).port, die };
}

async function file(): Promise<Pick<RealRegistry, "discovery" | "list" | "unlist">> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-on-use-"));
  cleanups.push(() => rm(directory, { recursive: true }));
  const path = join(directory, "services.json");
  const list = (ports: readonly number[]) => writeFile(path, JSON.stringify({ shop: ports.map((port) => ({ host: "127.0.0.1", port })) }));
  await list([]);
  return { discovery: fileDiscovery(path), list, unlist: (_ports, staying) => list(staying) };
}

describe.each([...registryNames, "file"] as const)('watch: "on-use" with a real %s', { timeout }, (name) => {
  it.skipIf(name !== "file" && !available(name))(
    "asks as it is called, and the first call after a sleep in which all instances were replaced succeeds",
    async () => {
      const registry = name === "file" ? await file() : await realRegistries[name]();
      if ("server" in registry) cleanups.push(() => (registry as RealRegistry).server.stop());
      const [before, after] = [await instance("before"), await instance("after")];
      await registry.list([before.port]);
      const mesh = createMesh({ discovery: registry.discovery, watch: "on-use", refreshAfterMs: 300, observers: [] });
      cleanups.push(() => mesh.close());
      const call = () => mesh.fetch("shop/", { method: "POST" }).then((response) => response.text());
      await until("the registry lists the instance", async () => (await call().catch(() => "")) === "before", 30_000);
      // Nothing comes by itself.
      await registry.list([before.port, after.port]);
      await pause(1_500);
      expect(mesh.explain("shop")?.endpoints).toHaveLength(1);
      expect(await call()).toBe("before");
      await until("the refresh beside the call has come", () => mesh.explain("shop")?.endpoints.length === 2);

      await registry.unlist([before.port], [after.port]);
      await before.die();
      await pause(1_500);
      expect(await call()).toBe("after");
    },
  );
});

describe.skipIf(!available("consul"))("a process that is frozen between calls", { timeout }, () => {
  it("answers the first call after it, with the registry restarted and every instance replaced meanwhile", async () => {
    const registry = await realRegistries.consul();
    cleanups.push(() => registry.server.stop());
    const before = await instance("before");
    await registry.list([before.port]);
    const env = { ...process.env, REGISTRY: (registry.server as unknown as { url: string }).url };
    const child = spawn(process.execPath, [join(import.meta.dirname, "frozen-function.ts")], { env, stdio: ["pipe", "pipe", "inherit"] });
    cleanups.push(() => child.kill("SIGKILL"));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const call = async (method: string) => {
      child.stdin.write(`${method}\n`);
      return (await lines.next()).value as string;
    };
    expect(await call("POST")).toBe("before");
    for (const [round, method] of ["POST", "GET"].entries()) {
      child.kill("SIGSTOP");
      const after = await instance(`after ${round}`);
      // Everything that the process has a connection to goes away meanwhile.
      if (round === 0) await before.die();
      await registry.server.restart();
      await registry.list([after.port]);
      await pause(1_500);
      child.kill("SIGCONT");
      expect(await call(method)).toBe(`after ${round}`);
      await after.die();
    }
    child.stdin.end();
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
