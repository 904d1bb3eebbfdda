import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Mesh } from "../../src/client/mesh.ts";
import { meshOf, serve, until } from "./support.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** More than the kernel takes off the server's hands. */
const large = Buffer.alloc(32 * 2 ** 20, "a");
const inFlight = (mesh: Mesh) => mesh.explain("users")?.endpoints[0]?.inFlight;

describe("a response that nobody holds any more", () => {
  it("gives its connection back when its body was not read", async () => {
    const server = await serve((_request, response) => response.end(large));
    const mesh = meshOf({ users: server.port }, { timeoutMs: false });
    for (let index = 0; index < 3; index++) await mesh.fetch("users/x");
    await until("all are given back", async () => {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
      return inFlight(mesh) === 0;
    });
    await until("their connections are closed", () => server.abandoned === 3);
  });

  it("does not take its body from whoever reads it", async () => {
    const server = await serve((_request, response) => response.end(large));
    const mesh = meshOf({ users: server.port });
    const reader = ((await mesh.fetch("users/x")).body as ReadableStream<Uint8Array>).getReader();
    const text = (await mesh.fetch("users/x")).text();
    for (let index = 0; index < 5; index++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let size = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) size += read.value.byteLength;
    expect([size, (await text).length]).toEqual([large.length, large.length]);
  });

  it("does not take a coded body from whoever will read it", async () => {
    const { createGzip } = await import("node:zlib");
    const { randomBytes } = await import("node:crypto");
    const noise = randomBytes(2 ** 20);
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.end(noise);
    });
    const mesh = meshOf({ users: server.port });
    const reader = ((await mesh.fetch("users/x")).body as ReadableStream<Uint8Array>).getReader();
    for (let index = 0; index < 5; index++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let size = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) size += read.value.byteLength;
    expect(size).toBe(noise.length);
  });
});
