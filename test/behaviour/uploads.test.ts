import { openAsBlob } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Mesh } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serve, serveRaw } from "../support/servers.ts";

const mebibyte = 2 ** 20;
const failuresOf = (mesh: Mesh) => mesh.explain("files")?.endpoints[0]?.failures;
const upload = (mesh: Mesh, body: unknown) => mesh.fetch("files/", { method: "POST", duplex: "half", body: body as string });

/** The forms of a body of so many bytes. */
const forms: Readonly<Record<string, (bytes: number) => unknown>> = {
  bytes: (bytes) => new Uint8Array(bytes),
  text: (bytes) => "x".repeat(bytes),
  "a Blob": (bytes) => new Blob([new Uint8Array(bytes)]),
  "a stream": (bytes) => () =>
    (async function* () {
      for (let from = 0; from < bytes; from += 65_536) yield new Uint8Array(65_536);
    })(),
};

describe("an upload that takes longer than the limit of an attempt", () => {
  it.each(Object.entries(forms))(
    "succeeds while the instance goes on reading: %s",
    async (_form, make) => {
      // Reads some 8 MB a second.
      const server = createServer((request, response) => {
        let bytes = 0;
        request.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          request.pause();
          setTimeout(() => request.resume(), chunk.length / 8_000);
        });
        request.on("end", () => response.end(String(bytes)));
      });
      const mesh = meshOf({ files: await listening(server) }, { attemptTimeoutMs: 2_000, timeoutMs: 60_000, retry: false, observers: [] });
      const response = await upload(mesh, make(24 * mebibyte));
      expect(await response.text()).toBe(String(24 * mebibyte));
      expect(failuresOf(mesh)).toBe(0);
    },
    30_000,
  );

  it("fails when the instance stops reading, which is its failure", async () => {
    const { port } = await serveRaw((socket: Socket) => void socket.pause());
    const mesh = meshOf({ files: port }, { attemptTimeoutMs: 150, retry: false, observers: [] });
    const error = await rejectionOf(upload(mesh, new Uint8Array(64 * mebibyte)));
    expect(error).toMatchObject({ code: "ERR_MESH_TIMEOUT", message: expect.stringContaining("attemptTimeoutMs") });
    expect(failuresOf(mesh)).toBe(1);
  });

  it("fails when no answer comes after its end, which is the instance's failure", async () => {
    const { port } = await serve(() => {});
    const mesh = meshOf({ files: port }, { attemptTimeoutMs: 150, retry: false, observers: [] });
    expect(await rejectionOf(upload(mesh, new Uint8Array(mebibyte)))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect(failuresOf(mesh)).toBe(1);
  });

  it("may wait for its own source, which is no time of the instance", async () => {
    const server = await serve((_request, response) => void response.end("ok"));
    const mesh = meshOf({ files: server.port }, { attemptTimeoutMs: 100, retry: false, observers: [] });
    const slow = (async function* () {
      await pause(250);
      yield "some";
      await pause(250);
      yield "more";
    })();
    expect(await (await upload(mesh, slow)).text()).toBe("ok");
    expect(server.seen[0]?.body.toString()).toBe("somemore");
    const stuck = (async function* () {
      yield "some";
      await pause(60_000, undefined, { ref: false });
    })();
    const late = mesh.fetch("files/", { method: "POST", duplex: "half", body: stuck, mesh: { timeoutMs: 300 } });
    expect(await rejectionOf(late)).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect(failuresOf(mesh)).toBe(0);
  });
});

describe("a Blob of a file that has changed meanwhile", () => {
  const sizes = [1_000, 4 * mebibyte];
  const protocols = ["h1", "h2"] as const;

  it.each(protocols.flatMap((protocol) => sizes.map((size) => ({ protocol, size }))))(
    "is a body that cannot be read, over $protocol with $size bytes",
    async ({ protocol, size }) => {
      const folder = await mkdtemp(join(tmpdir(), "inmesh-blob-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      const path = join(folder, "file");
      await writeFile(path, new Uint8Array(size));
      const blob = await openAsBlob(path);
      await writeFile(path, new Uint8Array(size / 2));
      let whole = 0;
      const answer = (request: IncomingMessage) => {
        request.on("error", () => {});
        // Node ends a stream that was reset, too.
        request.on("end", () => (request as { stream?: ServerHttp2Stream }).stream?.rstCode || whole++);
      };
      const server = protocol === "h2" ? createHttp2(answer as never) : createServer(answer);
      const mesh = meshOf({ files: await listening(server) }, { protocol, observers: [] });
      const bodies = [blob, new Blob(["before ", blob])];
      for (const body of bodies) expect(await rejectionOf(upload(mesh, body))).toMatchObject({ code: "ERR_MESH_BODY" });
      const reply = mesh.request("files/", { method: "PUT", body: blob });
      expect(await rejectionOf(reply)).toMatchObject({ code: "ERR_MESH_BODY" });
      expect([whole, failuresOf(mesh)]).toEqual([0, 0]);
    },
  );
});
