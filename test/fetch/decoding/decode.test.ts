import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { setImmediate as turn } from "node:timers/promises";
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { localResponse } from "../../../src/core/buffered-body.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Interceptor } from "../../../src/core/dispatch.ts";
import { MeshError } from "../../../src/core/errors.ts";
import { WrappedBody } from "../../../src/core/http/wrapped-body.ts";
import type { CallEnd } from "../../../src/core/observing/call-observer.ts";
import { decodeBody } from "../../../src/fetch/decoding/decode.ts";
import type { DecodeBounds } from "../../../src/fetch/decoding/decode-guard.ts";
import type { Mesh } from "../../../src/mesh/mesh.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { listening, serve, serveRaw } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

const text = JSON.stringify({ name: "Ada", lines: Array.from({ length: 500 }, (_, index) => `line ${index} é`) });
const codings: readonly (readonly [string, (content: Buffer | string) => Buffer])[] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["GZip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
  ["identity, gzip", gzipSync],
  ["gzip, br", (content) => brotliCompressSync(gzipSync(content))],
  ["br,gzip", (content) => gzipSync(brotliCompressSync(content))],
];

async function coded(encoding: string, body: Buffer, status = 200): Promise<Mesh> {
  const server = await serve((_request, response) => {
    response.writeHead(status, { "content-encoding": encoding, "content-type": "application/json" });
    response.end(body);
  });
  return meshOf({ files: server.port });
}

/** An interceptor that puts a body of its own around each. */
const wrapping: Interceptor = (next) => async (request) => {
  const { status, statusText, headers, body, upstream } = await next(request);
  return { status, statusText, headers, upstream, body: new Passed(body) };
};

class Passed extends WrappedBody {
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.inner.bytes();
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.inner.stream();
  }
}

const inFlight = (mesh: Mesh) => mesh.explain("files")?.endpoints[0]?.inFlight;
const failures = (mesh: Mesh) => mesh.explain("files")?.endpoints[0]?.failures;

describe.each(codings)("a body with content-encoding: %s", (encoding, encode) => {
  it("is decoded by every reader", async () => {
    const mesh = await coded(encoding, encode(text));
    const get = () => mesh.fetch("files/x");
    expect(await (await get()).text()).toBe(text);
    expect(await (await get()).json()).toEqual(JSON.parse(text));
    expect(Buffer.from(await (await get()).bytes()).toString()).toBe(text);
    expect(Buffer.from(await (await get()).arrayBuffer()).toString()).toBe(text);
    expect(await (await (await get()).blob()).text()).toBe(text);
    const response = await get();
    const copy = response.clone();
    expect(await Promise.all([response.text(), copy.text()])).toEqual([text, text]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await get()).body as ReadableStream<Uint8Array>) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(text);
    expect(inFlight(mesh)).toBe(0);
  });

  it("keeps its connection when it was read", async () => {
    let connections = 0;
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": encoding }).end(encode(text));
    });
    const mesh = meshOf({ files: server.port });
    for (let index = 0; index < 5; index++) await (await mesh.fetch("files/x")).text();
    connections = server.accepted;
    expect(connections).toBe(1);
  });

  it("fails with ERR_MESH_BODY when it is garbage, which is the failure of the instance that sent it", async () => {
    const mesh = await coded(encoding, Buffer.from("this is not compressed at all, whatever its header says"));
    for (let index = 0; index < 4; index++) {
      const response = await mesh.fetch("files/x");
      expect(await rejectionOf(response.text())).toMatchObject({
        name: "MeshError",
        code: "ERR_MESH_BODY",
        service: "files",
        maybeExecuted: true,
        attempts: [{ phase: "body", status: 200 }],
      });
      expect([inFlight(mesh), failures(mesh)]).toEqual([0, index + 1]);
    }
    expect(mesh.explain("files")?.endpoints[0]?.state).toBe("available");
    const stream = (await mesh.fetch("files/x")).body as ReadableStream<Uint8Array>;
    expect(await rejectionOf(stream.getReader().read())).toMatchObject({ code: "ERR_MESH_BODY" });
    expect([inFlight(mesh), failures(mesh)]).toEqual([0, 5]);
    // Five in a row: heads that are well between them do not hide them.
    expect(mesh.explain("files")?.endpoints[0]).toMatchObject({ state: "ejected", ejection: { rule: "consecutive failures" } });
  });

  it("fails with ERR_MESH_BODY when its end is missing, which is the failure of the instance", async () => {
    const whole = encode(text);
    const mesh = await coded(encoding, whole.subarray(0, whole.length - 20));
    expect(await rejectionOf((await mesh.fetch("files/x")).bytes())).toMatchObject({ code: "ERR_MESH_BODY" });
    expect([inFlight(mesh), failures(mesh)]).toEqual([0, 1]);
  });

  it("is nothing when nothing came", async () => {
    const mesh = await coded(encoding, Buffer.alloc(0));
    expect(await (await mesh.fetch("files/x")).text()).toBe("");
    expect(await (await mesh.fetch("files/x")).bytes()).toHaveLength(0);
  });
});

describe("content codings", () => {
  it.each(["compress", "gzip, compress", "gzip, gzip, gzip", "__proto__", "identity", ""])("%j are left as they are", async (encoding) => {
    const mesh = await coded(encoding, Buffer.from("as it is"));
    const response = await mesh.fetch("files/x");
    expect(await response.text()).toBe("as it is");
  });

  it("are told in the headers, with the length on the wire", async () => {
    const body = gzipSync(text);
    const server = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip", "content-length": body.byteLength }).end(body);
    });
    const response = await meshOf({ files: server.port }).fetch("files/x");
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("content-length")).toBe(String(body.byteLength));
    await response.text();
  });

  it.each([204, 205, 304])("mean nothing for a %d", async (status) => {
    const mesh = await coded("gzip", Buffer.alloc(0), status);
    const response = await mesh.fetch("files/x");
    expect([response.status, response.body, await response.text()]).toEqual([status, null, ""]);
    await until("nothing is in flight", () => inFlight(mesh) === 0);
  });

  it("mean nothing for HEAD", async () => {
    const mesh = await coded("gzip", gzipSync(text));
    const response = await mesh.fetch("files/x", { method: "HEAD" });
    expect([response.status, response.body, await response.text()]).toEqual([200, null, ""]);
    expect(inFlight(mesh)).toBe(0);
  });

  it("are not decoded by mesh.request", async () => {
    const body = gzipSync(text);
    const mesh = await coded("gzip", body);
    expect(Buffer.from(await (await mesh.request("files/x")).body.bytes())).toEqual(body);
  });

  it("drop a byte order mark from text and keep it in bytes", async () => {
    const mesh = await coded("gzip", gzipSync("\ufeffmarked"));
    expect(await (await mesh.fetch("files/x")).text()).toBe("marked");
    expect(await (await mesh.fetch("files/x")).bytes()).toHaveLength(9);
  });

  it("are decoded when what follows them is not theirs", async () => {
    const mesh = await coded("gzip", Buffer.concat([gzipSync(text), Buffer.alloc(300_000)]));
    expect(await (await mesh.fetch("files/x")).text()).toBe(text);
    expect(inFlight(mesh)).toBe(0);
  });

  it("are decoded member by member", async () => {
    const mesh = await coded("gzip", Buffer.concat([gzipSync("one "), gzipSync("two")]));
    expect(await (await mesh.fetch("files/x")).text()).toBe("one two");
  });

  it("are decoded from chunks of one byte", async () => {
    const server = await serve(async (_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      for (const byte of gzipSync("byte by byte")) {
        response.write(Uint8Array.of(byte));
        await turn();
      }
      response.end();
    });
    expect(await (await meshOf({ files: server.port }).fetch("files/x")).text()).toBe("byte by byte");
  });

  it("can be read once", async () => {
    const mesh = await coded("gzip", gzipSync(text));
    const response = await mesh.fetch("files/x");
    await response.text();
    expect([response.bodyUsed, await rejectionOf(response.text())]).toEqual([true, expect.any(TypeError)]);
    const other = await mesh.fetch("files/x");
    other.body?.getReader();
    expect(await rejectionOf(other.text())).toBeInstanceOf(TypeError);
  });
});

describe("a coded body whose connection breaks", () => {
  it("fails with the connection's error, and the instance is blamed", async () => {
    const whole = gzipSync(text);
    const raw = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${whole.length}\r\n\r\n`);
      socket.write(whole.subarray(0, 200), () => setTimeout(() => socket.destroy(), 20));
    });
    const mesh = meshOf({ files: raw.port });
    const error = await rejectionOf((await mesh.fetch("files/x")).text());
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", attempts: [{ phase: "body" }] });
    expect(failures(mesh)).toBe(1);
  });
});

describe("an abort in the middle of decoding", () => {
  const half: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-encoding": "gzip" });
    const gzip = createGzip();
    gzip.pipe(response);
    gzip.write("begun");
    gzip.flush();
  };

  it.each([
    ["an error", new RangeError("mine")],
    ["a string", "mine"],
    ["zero", 0],
    ["null", null],
    ["undefined", undefined],
  ])("rejects the reader with the reason, %s", async (_what, reason) => {
    const server = await serve(half);
    const mesh = meshOf({ files: server.port });
    const controller = new AbortController();
    const response = await mesh.fetch("files/x", { signal: controller.signal });
    const read = rejectionOf(response.text());
    await until("the body has begun", () => server.seen.length === 1);
    controller.abort(reason);
    expect(await read).toBe(controller.signal.reason);
    await until("the connection is closed", () => server.abandoned === 1);
    expect([inFlight(mesh), failures(mesh)]).toEqual([0, 0]);
  });

  it("rejects the stream too, after what had come", async () => {
    const server = await serve(half);
    const controller = new AbortController();
    const response = await meshOf({ files: server.port }).fetch("files/x", { signal: controller.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe("begun");
    const next = rejectionOf(reader.read());
    controller.abort(new RangeError("mine"));
    expect(await next).toBeInstanceOf(RangeError);
  });

  it("closes the connection when the stream is cancelled, read or not", async () => {
    const server = await serve(half);
    const mesh = meshOf({ files: server.port });
    await (await mesh.fetch("files/x")).body?.cancel("enough");
    const reader = ((await mesh.fetch("files/y")).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel("enough");
    const waiting = ((await mesh.fetch("files/z")).body as ReadableStream<Uint8Array>).getReader();
    await waiting.read();
    const last = waiting.read();
    await waiting.cancel("enough");
    expect((await last).done).toBe(true);
    await until("the connections are closed", () => server.abandoned === 3);
    expect(inFlight(mesh)).toBe(0);
  });
});

describe("a body that does not decode", () => {
  const whole = gzipSync(randomBytes(300_000));
  const corruptAt = (index: number) => {
    const corrupt = Buffer.from(whole);
    corrupt[index] = (corrupt[index] as number) ^ 0xff;
    return corrupt;
  };
  const checksum = corruptAt(whole.length - 6);
  const inTheMiddle = corruptAt(Math.trunc(whole.length / 2));
  const cut = whole.subarray(0, whole.length - 30_000);
  const bodies: readonly (readonly [string, Buffer])[] = [
    ["has a wrong checksum", checksum],
    ["is corrupt in the middle", inTheMiddle],
    ["is cut off behind its length", cut],
  ];
  const readers: Readonly<Record<string, (response: Response) => Promise<unknown>>> = {
    bytes: (response) => response.bytes(),
    text: (response) => response.text(),
    stream: async (response) => {
      for await (const _chunk of response.body as ReadableStream<Uint8Array>);
    },
    clone: (response) => response.clone().text(),
  };
  const protocols = ["h1", "h2"] as const;
  const cases = bodies.flatMap(([what, body]) => protocols.map((protocol) => ({ what, body, protocol })));

  it.each(cases)("since it $what counts against its instance over $protocol, by every reader", async ({ body, protocol }) => {
    const head = { "content-encoding": "gzip", "content-length": body.length };
    const server = createHttp2().on("stream", (stream) => {
      stream.on("error", () => {}).respond({ ":status": 200, ...head });
      stream.end(body);
    });
    const port =
      protocol === "h2" ? await listening(server) : (await serve((_request, response) => response.writeHead(200, head).end(body))).port;
    for (const interceptors of [[], [wrapping]]) {
      for (const [name, read] of Object.entries(readers)) {
        const mesh = meshOf({ files: port }, { protocol, interceptors, maxResponseBytes: 2 ** 24 });
        expect(await rejectionOf(read(await mesh.fetch("files/x"))), name).toMatchObject({ code: "ERR_MESH_BODY", maybeExecuted: true });
        await until("nothing is in flight", () => inFlight(mesh) === 0);
        expect(failures(mesh), name).toBe(1);
      }
    }
  });

  it("is no failure of an instance where the caller gives it up first", async () => {
    const server = await serve((_request, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(inTheMiddle));
    const mesh = meshOf({ files: server.port });
    const reader = ((await mesh.fetch("files/x")).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(failures(mesh)).toBe(0);
  });

  it("frees its place when it has arrived, however late it is read", async () => {
    const mesh = await coded("gzip", checksum.subarray(0, 30_000));
    const response = await mesh.fetch("files/x");
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(failures(mesh)).toBe(0);
    await rejectionOf(response.text());
    expect(failures(mesh)).toBe(1);
  });
});

describe("a bomb", () => {
  // 32 MiB of zeros: 32 KiB on the wire.
  const bomb = gzipSync(Buffer.alloc(32 * 2 ** 20));

  it("is refused when it grows more than a hundredfold, and its connection closed", async () => {
    const ends: CallEnd[] = [];
    const server = await serve((_request, response) => void response.writeHead(200, { "content-encoding": "gzip" }).write(bomb));
    const observers = [{ onCall: () => ({ onEnd: (end: CallEnd) => void ends.push(end) }) }];
    const mesh = meshOf({ files: server.port }, { observers });
    const error = await rejectionOf((await mesh.fetch("files/x")).bytes());
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", message: expect.stringContaining("100-fold") });
    await until("the connection is closed", () => server.abandoned === 1);
    expect([inFlight(mesh), failures(mesh)]).toEqual([0, 0]);
    expect(ends).toMatchObject([{ error, cancelled: false }]);
  });

  it("is refused as a stream before it has been decoded", async () => {
    const mesh = await coded("gzip", bomb);
    let size = 0;
    const read = async () => {
      for await (const chunk of (await mesh.fetch("files/x")).body as ReadableStream<Uint8Array>) size += chunk.byteLength;
    };
    expect(await rejectionOf(read())).toMatchObject({ code: "ERR_MESH_BODY" });
    expect(size).toBeLessThan(5 * 2 ** 20);
  });

  it("is refused inside another", async () => {
    const mesh = await coded("gzip, br", brotliCompressSync(bomb));
    expect(await rejectionOf((await mesh.fetch("files/x")).text())).toMatchObject({ code: "ERR_MESH_BODY" });
  });

  it("that stays below the ratio is refused by what may be kept in memory, and can be streamed", async () => {
    const limits = { maxBytes: 1000, maxRatio: 100 };
    const decode = () => decodeBody(localResponse(200, gzipSync("a".repeat(1001))).body, "gzip", "files", limits);
    const error = await rejectionOf(decode().text());
    expect(error).toBeInstanceOf(MeshError);
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", message: expect.stringContaining("1000 bytes") });
    expect(await new Response(decode().stream()).text()).toHaveLength(1001);
    const fits = decodeBody(localResponse(200, gzipSync("a".repeat(1000))).body, "gzip", "files", limits);
    expect(await fits.text()).toHaveLength(1000);
  });
});

describe("the bounds of a call", () => {
  const large = gzipSync(Buffer.alloc(128 * 2 ** 20), { level: 1 });
  const limits = { maxBytes: false, maxRatio: Number.POSITIVE_INFINITY } as const;
  const decode = (bounds: Partial<DecodeBounds>) =>
    decodeBody(localResponse(200, large).body, "gzip", "files", limits, {
      clock: systemClock,
      deadline: Number.POSITIVE_INFINITY,
      signal: undefined,
      ...bounds,
    });

  it("hold while a body is decoded that has arrived: the deadline", async () => {
    const error = await rejectionOf(decode({ deadline: systemClock.now() + 5 }).bytes());
    expect(error).toMatchObject({ code: "ERR_MESH_TIMEOUT", message: expect.stringContaining("not decoded within the deadline") });
  });

  it("hold while a body is decoded that has arrived: the caller's abort", async () => {
    const stop = new AbortController();
    const reading = rejectionOf(
      decode({ signal: stop.signal })
        .stream()
        .getReader()
        .read()
        .then(async () => decode({ signal: stop.signal }).bytes()),
    );
    setTimeout(() => stop.abort(new RangeError("enough")), 5);
    expect(await reading).toBeInstanceOf(RangeError);
  });

  it("leave a body alone that is read after its deadline, since it arrived in time", async () => {
    const body = decodeBody(localResponse(200, gzipSync(text)).body, "gzip", "files", limits, {
      clock: systemClock,
      deadline: systemClock.now() - 5_000,
      signal: undefined,
    });
    expect(await body.text()).toBe(text);
  });
});

describe("the option decode", () => {
  const doubled = gzipSync("a".repeat(2_000_000));

  it("bounds what a service's bodies may become, for all services or for one", async () => {
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(doubled));
    const services = { files: server.port, archives: server.port, small: server.port };
    const mesh = meshOf(services, {
      decode: { maxRatio: 2_000 },
      services: {
        archives: { decode: { maxRatio: Number.POSITIVE_INFINITY } },
        small: { maxCollectedBytes: 1_000, decode: { maxRatio: 2_000 } },
      },
    });
    for (const service of ["files", "archives"]) expect(await (await mesh.fetch(`${service}/x`)).text()).toHaveLength(2_000_000);
    const error = await rejectionOf((await mesh.fetch("small/x")).text());
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", message: expect.stringContaining("larger than 1000 bytes") });
    expect(await rejectionOf((await meshOf(services).fetch("files/x")).text())).toMatchObject({
      code: "ERR_MESH_BODY",
      message: expect.stringContaining("100-fold"),
    });
  });

  it.each([
    [{ maxRatio: 0 }, RangeError, "decode.maxRatio must be at least 1, not 0"],
    [{ maxRatio: "10" }, TypeError, "decode.maxRatio must be a number"],
    [{ ratio: 10 }, TypeError, "ratio"],
    [100, TypeError, "decode must be an object with options, not 100"],
  ])("refuses %j at construction", (decode, kind, message) => {
    const create = () => meshOf({}, { decode: decode as never });
    expect(create).toThrow(kind);
    expect(create).toThrow(message);
  });
});

describe("a decoded stream that is read slowly", () => {
  it("holds the server back", async () => {
    let written = 0;
    // Noise does not compress: what is decoded is about what is on the wire.
    const noise = Buffer.from(Array.from({ length: 2 ** 16 }, (_, index) => (index * 7919 + (index >> 3) * 104729) & 0xff));
    const server = await serve(async (_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      const gzip = createGzip({ level: 0 });
      gzip.pipe(response);
      const closed = once(response, "close");
      closed.then(() => gzip.destroy());
      while (written < 64 * 2 ** 20 && !gzip.destroyed) {
        written += noise.length;
        if (!gzip.write(noise)) await Promise.race([once(gzip, "drain").catch(() => {}), closed]);
      }
      gzip.end();
    });
    const mesh = meshOf({ files: server.port }, { timeoutMs: false });
    const reader = ((await mesh.fetch("files/x")).body as ReadableStream<Uint8Array>).getReader();
    let size = (await reader.read()).value?.byteLength ?? 0;
    let seen = -1;
    await until("the server stands still", async () => {
      const before = seen;
      seen = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return before === written;
    });
    // The socket buffers of the kernel are most of it.
    expect(written).toBeLessThan(32 * 2 ** 20);
    for (let read = await reader.read(); !read.done; read = await reader.read()) size += read.value.byteLength;
    expect(size).toBe(64 * 2 ** 20);
    expect(inFlight(mesh)).toBe(0);
  });
});
