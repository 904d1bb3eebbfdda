import { openAsBlob } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CallerStream } from "../../src/fetch/caller-stream.ts";
import { wholeOf } from "../../src/fetch/read-ahead.ts";
import type { BodyInput } from "../../src/fetch/request-body.ts";

const mebibyte = 2 ** 20;

async function readAhead(body: BodyInput, length?: number) {
  const stream = new Request("http://x/", { method: "POST", body, duplex: "half" } as never).body as ReadableStream;
  return (await wholeOf({ body: new CallerStream(stream, length), length })).body;
}

async function bytesOf(body: unknown): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function fileOf(size: number): Promise<Blob> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-read-ahead-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "file"), Buffer.alloc(size, "f"));
  return openAsBlob(join(directory, "file"));
}

describe("the body of a Request", () => {
  it.each<[string, () => BodyInput | Promise<BodyInput>, number]>([
    ["a text", () => "hello", 5],
    ["nothing but a text of no letters", () => "", 0],
    ["a text of any size, which is in memory", () => "x".repeat(8 * mebibyte), 8 * mebibyte],
    ["bytes", () => new Uint8Array(1_000), 1_000],
    ["a form without files", () => new URLSearchParams({ a: "b" }), 3],
    ["a blob of blobs", () => new Blob(["a", new Blob(["b", new Blob(["c"])])]), 3],
    ["a blob that is not large", () => new Blob([Buffer.alloc(mebibyte - 1)]), mebibyte - 1],
    ["a file that is not large", () => fileOf(300_000), 300_000],
  ])("is whole when it was made of %s", async (_what, make, size) => {
    const body = await readAhead(await make());
    expect(body).toBeInstanceOf(Uint8Array);
    expect((body as Uint8Array).byteLength).toBe(size);
  });

  it("stays a stream, from its first byte on, when it is a large file", async () => {
    const body = await readAhead(await fileOf(3 * mebibyte));
    expect(body).toBeInstanceOf(CallerStream);
    expect((await bytesOf(body)).equals(Buffer.alloc(3 * mebibyte, "f"))).toBe(true);
  });

  it("stays a stream when it is alive, and is not waited for", async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const live = new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from("first, "));
        await gate;
        controller.enqueue(Buffer.from("second"));
        controller.close();
      },
    });
    const body = await readAhead(live);
    expect(body).toBeInstanceOf(CallerStream);
    go();
    expect((await bytesOf(body)).toString()).toBe("first, second");
  });

  it.each([
    ["fails", (controller: ReadableStreamDefaultController) => controller.error(new Error("disk"))],
    ["has a wrong chunk", (controller: ReadableStreamDefaultController) => controller.enqueue(5)],
  ])("that %s fails where it is sent", async (_what, pull) => {
    const stream = new CallerStream(new ReadableStream({ pull }), undefined);
    const { body } = await wholeOf({ body: stream });
    expect(body).toBe(stream);
    const first = await stream.next().catch((error: Error) => error.message);
    expect(["disk", { done: false, value: 5 }]).toContainEqual(first);
  });

  it("is held to the length that its caller gave", async () => {
    const body = await readAhead("hello", 6);
    expect(body).toBeInstanceOf(CallerStream);
    await expect(bytesOf(body)).rejects.toThrow("after 5 of the 6 bytes");
  });
});
