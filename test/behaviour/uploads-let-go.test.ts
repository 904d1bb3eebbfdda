// Streams that are given to calls: whatever becomes of a call, its stream does not stay open.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { closedPort, listening, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

type Send = (mesh: Mesh, init: object) => Promise<unknown>;

async function meshes() {
  const answering = createServer((request, response) => {
    if (request.url === "/hang") return;
    if (request.url === "/early") return void response.writeHead(413).end();
    if (request.url === "/reset") return void request.socket.destroy();
    request.resume().on("end", () => response.end());
  });
  const port = await listening(answering);
  const nowhere = await closedPort();
  const unknown = () => closing(createMesh({ discovery: staticDiscovery({}), discoveryTimeoutMs: 10 }));
  const closed = meshOf({ orders: port });
  await closed.close();
  const full = meshOf({ orders: port }, { concurrency: { maxInFlight: 1, maxQueued: 0 } });
  full.fetch("orders/hang").catch(() => {});
  return {
    usual: meshOf({ orders: port }),
    refused: meshOf({ orders: nowhere }, { breaker: false, retry: false }),
    unknown: unknown(),
    closed,
    full,
    answeringItself: meshOf(
      { orders: port },
      { interceptors: [(next) => (request) => next({ ...request, method: "GET", body: undefined })] },
    ),
  };
}

const cases: readonly (readonly [string, keyof Awaited<ReturnType<typeof meshes>>, Send])[] = [
  ["was answered before the upload ended", "usual", (mesh, init) => mesh.fetch("orders/early", init).then((response) => response.text())],
  ["lost its connection", "usual", (mesh, init) => mesh.fetch("orders/reset", init)],
  ["took too long", "usual", (mesh, init) => mesh.fetch("orders/hang", { ...init, mesh: { attemptTimeoutMs: 30 } })],
  ["was aborted", "usual", (mesh, init) => mesh.fetch("orders/hang", { ...init, signal: AbortSignal.timeout(30) })],
  ["was aborted before it began", "usual", (mesh, init) => mesh.fetch("orders/x", { ...init, signal: AbortSignal.abort() })],
  ["had a target that names no service", "usual", (mesh, init) => mesh.fetch("10.0.0.1/x", init)],
  ["had a header that cannot be sent", "usual", (mesh, init) => mesh.fetch("orders/x", { ...init, headers: { "x y": "1" } })],
  ["had a method without a body", "usual", (mesh, init) => mesh.fetch("orders/x", { ...init, method: "GET" })],
  ["had wrong options", "usual", (mesh, init) => mesh.fetch("orders/x", { ...init, mesh: { timeoutMs: -1 } })],
  ["had no duplex", "usual", (mesh, init) => mesh.fetch("orders/x", { ...init, duplex: undefined } as object)],
  ["made no connection", "refused", (mesh, init) => mesh.fetch("orders/x", init)],
  ["found no instance", "unknown", (mesh, init) => mesh.fetch("orders/x", init)],
  ["came to a mesh that is closed", "closed", (mesh, init) => mesh.fetch("orders/x", init)],
  ["found no place", "full", (mesh, init) => mesh.fetch("orders/x", init)],
  ["was answered without its body", "answeringItself", (mesh, init) => mesh.fetch("orders/x", init).then((response) => response.text())],
  ["was made by mesh.request", "unknown", (mesh, init) => mesh.request("orders/x", init)],
  [
    "was a Request",
    "unknown",
    (mesh, { body, method, duplex }: { body?: unknown; method?: string; duplex?: string }) =>
      mesh.fetch(new Request("http://orders/x", { body, method, duplex } as never)),
  ],
  [
    "came through the dispatcher",
    "unknown",
    (mesh, { body }: { body?: unknown }) =>
      mesh.dispatcher().request({ origin: "http://orders", path: "/x", method: "POST", body: body as never }),
  ],
];

describe("the stream of a call", () => {
  for (const [name, which, send] of cases) {
    it(`that ${name} is ended`, async () => {
      const mesh = (await meshes())[which];
      let cancelled = 0;
      // It never yields anything: nothing but the end of the call can end it.
      const web = new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => void cancelled++ });
      await send(mesh, { method: "POST", body: web, duplex: "half" }).catch(() => {});
      await until("it is cancelled", () => cancelled === 1);
      if (name === "was a Request") return;
      const file = createReadStream("/dev/zero");
      await send(mesh, { method: "POST", body: file, duplex: "half" }).catch(() => {});
      await until("it is destroyed", () => file.destroyed);
    });
  }

  it("that was sent is read to its end", async () => {
    const server = await serve();
    const stream = ReadableStream.from(["a", "b"]) as ReadableStream;
    expect((await meshOf({ orders: server.port }).fetch("orders/x", { method: "POST", body: stream, duplex: "half" })).status).toBe(200);
    expect(server.seen[0]?.body.toString()).toBe("ab");
  });

  it("that was refused for being read by another stays the other's", async () => {
    const stream = ReadableStream.from(["a"]) as ReadableStream<string>;
    const reader = stream.getReader();
    await expect(meshOf({}).fetch("orders/x", { method: "POST", body: stream, duplex: "half" })).rejects.toThrow("locked");
    expect(await reader.read()).toEqual({ done: false, value: "a" });
  });
});
