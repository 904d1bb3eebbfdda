import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { resultOf } from "../../src/core/json/steps.ts";
import type { MeshEvent } from "../../src/core/observing/events.ts";
import { fallback } from "../../src/discovery/combined/fallback.ts";
import { union } from "../../src/discovery/combined/union.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { fileDiscovery } from "../../src/discovery/file/file.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { validateEndpoints } from "../../src/discovery/validate.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { endpointsOf } from "../../src/registries/consul/entries/entries.ts";
import { endpointOf } from "../../src/registries/eureka/entry.ts";
import { entry } from "../registries/consul/scripted-consul.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "mesh-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function listenOn(socketPath: string, name = "unix"): Promise<void> {
  const server = createServer((request, response) => response.end(`${name} ${request.method} ${request.url} ${request.headers.host}`));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

describe("an instance on a Unix socket", () => {
  it("is called by its path; host and port only name it", async () => {
    const socketPath = join(await directory(), "a.sock");
    await listenOn(socketPath);
    const tcp = await serve();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: tcp.port, socketPath }] }) }));
    expect(await (await mesh.fetch("users/x")).text()).toBe(`unix GET /x 127.0.0.1:${tcp.port}`);
    expect(await (await mesh.request("users/y", { method: "POST", body: "z" })).body.text()).toContain("unix POST /y");
    expect(mesh.explain("users")?.endpoints[0]).toMatchObject({ address: `unix:${socketPath}`, attempts: 2, inFlight: 0 });
    expect(tcp.accepted).toBe(0);
  });

  it("may end a body with its connection: a socket without addresses is not taken for one that was reset", async () => {
    const socketPath = join(await directory(), "a.sock");
    const server = createServer((_request, response) => {
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { connection: "close" });
      response.end("all of it");
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    onTestFinished(() => void server.close());
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: 1, socketPath }] }) }));
    const response = await mesh.fetch("users/x");
    expect([response.headers.get("content-length"), response.headers.get("transfer-encoding")]).toEqual([null, null]);
    expect(await response.text()).toBe("all of it");
  });

  it("is called by its path through mesh.agent too", async () => {
    const socketPath = join(await directory(), "a.sock");
    await listenOn(socketPath);
    const tcp = await serve();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: tcp.port, socketPath }] }) }));
    const agent = mesh.agent();
    onTestFinished(() => agent.destroy());
    const text = await new Promise((resolve, reject) => {
      get("http://users/x", { agent }, (response) => resolve(textOf(response))).on("error", reject);
    });
    expect(text).toBe("unix GET /x users");
    expect(tcp.accepted).toBe(0);
  });

  it("that is not there fails with its path in the message, and another one is tried", async () => {
    const folder = await directory();
    const [gone, there] = [join(folder, "gone.sock"), join(folder, "there.sock")];
    await listenOn(there);
    const at = (socketPath: string, id: string) => ({ id, host: "127.0.0.1", port: 80, socketPath });
    const mesh = closing(createMesh({ discovery: staticDiscovery({ users: [at(gone, "a"), at(there, "b")], alone: [at(gone, "a")] }) }));
    for (let index = 0; index < 4; index++) expect((await mesh.fetch("users/x")).status).toBe(200);
    expect(await rejectionOf(mesh.fetch("alone/x", { mesh: { retry: false } }))).toMatchObject({
      code: "ERR_MESH_CONNECT",
      message: expect.stringContaining(`unix:${gone}`),
      maybeExecuted: false,
    });
  });

  it("can be given by a file", async () => {
    const folder = await directory();
    const socketPath = join(folder, "a.sock");
    await listenOn(socketPath, "from a file");
    const file = join(folder, "services.json");
    await writeFile(file, JSON.stringify({ users: [{ host: "127.0.0.1", port: 80, socketPath }] }));
    const mesh = closing(createMesh({ discovery: fileDiscovery(file) }));
    expect(await (await mesh.fetch("users/x")).text()).toContain("from a file GET /x");
  });

  it("can stand beside others in a union", async () => {
    const socketPath = join(await directory(), "a.sock");
    await listenOn(socketPath);
    const tcp = await serve((_request, response) => response.end("tcp"));
    const discovery = union(
      staticDiscovery({ users: [{ id: "a", host: "127.0.0.1", port: 80, socketPath }] }),
      staticDiscovery({ users: [{ id: "b", host: "127.0.0.1", port: tcp.port }] }),
    );
    const mesh = closing(createMesh({ discovery }));
    const answers = new Set<string>();
    for (let index = 0; index < 8; index++) answers.add((await (await mesh.fetch("users/x")).text()).split(" ")[0] as string);
    expect([...answers].sort()).toEqual(["tcp", "unix"]);
  });

  it.each(["relative.sock", "", "/", `/${"a".repeat(107)}`, "/with\0zero", 5, null])("is refused with the path %j", (socketPath) => {
    const entry = { id: "a", host: "127.0.0.1", port: 80, socketPath };
    expect(validateEndpoints([entry], true).rejected).toMatchObject([{ reason: expect.stringContaining("socketPath") }]);
    expect(() => staticDiscovery({ users: [entry as Endpoint] })).toThrow(/socketPath/);
  });

  it("is taken with the longest path there can be", () => {
    const entry = { id: "a", host: "127.0.0.1", port: 80, socketPath: `/${"a".repeat(106)}` };
    expect(validateEndpoints([entry], true).rejected).toEqual([]);
  });

  it("is rejected where the source may not name one, alone and beside one that may", async () => {
    const socketPath = join(await directory(), "a.sock");
    await listenOn(socketPath);
    const entry = { id: "a", host: "127.0.0.1", port: 80, socketPath };
    const mine: Discovery = {
      async *watch() {
        yield [entry];
      },
    };
    const named = staticDiscovery({ orders: [entry] });
    for (const discovery of [mine, union(mine, named), fallback(mine, named), union(named, mine)]) {
      const events: MeshEvent[] = [];
      const observers = [{ onEvent: (event: MeshEvent) => void events.push(event) }];
      const mesh = closing(createMesh({ discovery, observers, discoveryTimeoutMs: 500 }));
      expect(await rejectionOf(mesh.fetch("users/x"))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
      const update = events.find((event) => event.type === "endpoints");
      expect(update?.rejected).toMatchObject([{ reason: "socketPath: the source may not name Unix sockets (allowSocketPaths)" }]);
    }
    const trusted = closing(createMesh({ discovery: { ...mine, allowSocketPaths: true } }));
    expect(await (await trusted.fetch("users/x")).text()).toContain("unix GET /x");
  });

  it("is never what a registry says, to which others write", () => {
    const socketPath = "/var/run/docker.sock";
    const said = { socketPath, SocketPath: socketPath, socket_path: socketPath };
    const [fromConsul] = resultOf(
      endpointsOf([entry(8081, { service: { ...said, Meta: said } })], {
        tags: [],
        onlyPassing: false,
        addressKey: undefined,
        portName: undefined,
      }),
    ).endpoints;
    const instance = { ...said, status: "UP", ipAddr: "127.0.0.1", port: { $: 8081, "@enabled": "true" }, metadata: said };
    const fromEureka = endpointOf({ app: "USERS", instance }, { by: "app", preferSecure: false, preferHostName: false });
    for (const endpoint of [fromConsul, fromEureka]) {
      expect(endpoint).toMatchObject({ host: "127.0.0.1", port: 8081 });
      expect(Object.keys(endpoint ?? {})).not.toContain("socketPath");
    }
  });
});
