import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createGzip, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { collectGarbage } from "../support/collect-garbage.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** More than the kernel takes off the server's hands. */
const large = Buffer.alloc(32 * 2 ** 20, "a");

/** Collects garbage and lets the finalizers run. */
async function collect(): Promise<void> {
  collectGarbage();
  await pause(5);
}

/** Waits until no attempt is in flight any more, and until the server has seen that many of its connections close. */
async function untilGivenBack(mesh: Mesh, server: { readonly abandoned: number }, connections: number): Promise<void> {
  await until("all are given back", async () => {
    await collect();
    return mesh.explain("users")?.endpoints[0]?.inFlight === 0;
  });
  await until("their connections are closed", () => server.abandoned === connections);
}

describe("a response that is not held any more", () => {
  it("gives its connection back when its body was not read", async () => {
    const server = await serve((_request, response) => response.end(large));
    const mesh = meshOf({ users: server.port }, { timeoutMs: false });
    for (let index = 0; index < 3; index++) await mesh.fetch("users/x");
    await untilGivenBack(mesh, server, 3);
  });

  it.each<[string, (response: Response) => unknown]>([
    ["was asked for as a stream", (response) => response.body],
    ["was read in part", async (response) => (response.body as ReadableStream).getReader().read()],
    ["was cloned", (response) => response.clone()],
    ["was cloned and read in part", async (response) => (response.clone().body as ReadableStream).getReader().read()],
  ])("gives its connection back when its body %s", async (_what, use) => {
    const server = await serve((_request, response) => response.end(large));
    const mesh = meshOf({ users: server.port }, { timeoutMs: false, bodyIdleTimeoutMs: false });
    for (let index = 0; index < 3; index++) await use(await mesh.fetch("users/x"));
    await untilGivenBack(mesh, server, 3);
  });

  it.each<[string, (response: Response) => unknown]>([
    ["was asked for as a stream", (response) => response.body],
    ["was read in part", async (response) => (response.body as ReadableStream).getReader().read()],
    ["was cloned", (response) => response.clone()],
  ])("gives its connection back when its coded body %s", async (_what, use) => {
    const coded = gzipSync(large, { level: 0 });
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(coded));
    const mesh = meshOf({ users: server.port }, { timeoutMs: false, bodyIdleTimeoutMs: false });
    await use(await mesh.fetch("users/x"));
    await untilGivenBack(mesh, server, 1);
  });

  it("does not take its body from a reader that waits for the next part", async () => {
    let write: (text: string) => void = () => {};
    const server = await serve((_request, response) => {
      response.write(large);
      write = (text) => void response.end(text);
    });
    const mesh = meshOf({ users: server.port }, { timeoutMs: false, bodyIdleTimeoutMs: false });
    let size = 0;
    let isDone = false;
    const count = async ({ body }: Response) => {
      for await (const part of body ?? []) size += part.byteLength;
      isDone = true;
    };
    // Nothing but the connection leads to the reader.
    void count(await mesh.fetch("users/x"));
    await until("it waits", () => size === large.length);
    for (let index = 0; index < 5; index++) await collect();
    write("the end");
    await until("it has ended", () => isDone);
    expect(size).toBe(large.length + "the end".length);
  });

  it("does not take its body from its reader", async () => {
    const server = await serve((_request, response) => response.end(large));
    const mesh = meshOf({ users: server.port });
    const reader = ((await mesh.fetch("users/x")).body as ReadableStream<Uint8Array>).getReader();
    const text = (await mesh.fetch("users/x")).text();
    for (let index = 0; index < 5; index++) await collect();
    let size = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) size += read.value.byteLength;
    expect([size, (await text).length]).toEqual([large.length, large.length]);
  });

  it("does not take a coded body from its later reader", async () => {
    const noise = randomBytes(2 ** 20);
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      gzip.end(noise);
    });
    const mesh = meshOf({ users: server.port });
    const reader = ((await mesh.fetch("users/x")).body as ReadableStream<Uint8Array>).getReader();
    for (let index = 0; index < 5; index++) await collect();
    let size = 0;
    for (let read = await reader.read(); !read.done; read = await reader.read()) size += read.value.byteLength;
    expect(size).toBe(noise.length);
  });
});
