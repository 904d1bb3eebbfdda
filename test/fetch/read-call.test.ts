import { File as NodeFile } from "node:buffer";
import { openAsBlob } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { FormData as UndiciFormData, Headers as UndiciHeaders, Request as UndiciRequest } from "undici";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { HeadersInput } from "../../src/core/http/request-headers.ts";
import type { BodyInput } from "../../src/fetch/request-body.ts";
import type { MeshRequestInit } from "../../src/fetch/request-init.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { collectGarbage } from "../support/collect-garbage.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, listening, type SeenRequest, serve, type TestServer } from "../support/servers.ts";

let server: TestServer;
let mesh: Mesh;

beforeEach(async () => {
  server = await serve();
  mesh = meshOf({ orders: server.port }, { propagateDeadline: false });
});

async function sent(init?: MeshRequestInit): Promise<SeenRequest> {
  const response = await mesh.fetch("orders/x", init);
  expect(response.status).toBe(200);
  return server.seen.at(-1) as SeenRequest;
}

describe("the method", () => {
  it.each([
    [undefined, "GET"],
    ["get", "GET"],
    ["post", "POST"],
    ["Put", "PUT"],
    ["delete", "DELETE"],
    ["head", "HEAD"],
    ["options", "OPTIONS"],
    ["patch", "PATCH"],
    ["PROPFIND", "PROPFIND"],
  ])("%s goes out as %s", async (method, expected) => {
    expect((await sent(method === undefined ? {} : { method })).method).toBe(expected);
  });

  it.each(["", "GET ", "G T", "GET\r\nX: y", "TRACE", "trace", "CONNECT", "TRACK", "G(T", "\u0411", 5 as never, null as never])(
    "%j is refused",
    async (method) => {
      expect(await rejectionOf(mesh.fetch("orders/x", { method }))).toBeInstanceOf(TypeError);
      expect(server.begun).toEqual([]);
    },
  );
});

describe("headers", () => {
  const forms: readonly (readonly [string, HeadersInput])[] = [
    ["an object", { "X-A": "1", "x-b": "2" }],
    [
      "pairs",
      [
        ["X-A", "1"],
        ["x-b", "2"],
      ],
    ],
    [
      "a Map",
      new Map([
        ["X-A", "1"],
        ["x-b", "2"],
      ]),
    ],
    ["a global Headers", new Headers({ "X-A": "1", "x-b": "2" })],
    ["a Headers of the undici package", new UndiciHeaders({ "X-A": "1", "x-b": "2" }) as Iterable<readonly string[]>],
    ["numbers", { "X-A": 1, "x-b": 2 }],
    ["undefined left out", { "X-A": "1", "x-b": "2", "x-c": undefined }],
    ["an object without prototype", Object.assign(Object.create(null) as Record<string, string>, { "X-A": "1", "x-b": "2" })],
  ];
  it.each(forms)("are taken from %s", async (_form, headers) => {
    const { headers: seen } = await sent({ headers });
    expect(seen).toMatchObject({ "x-a": "1", "x-b": "2" });
    expect(seen).not.toHaveProperty("x-c");
  });

  it("of one name are joined, cookies by a semicolon", async () => {
    const { headers } = await sent({
      headers: [
        ["x-a", "1"],
        ["X-A", "2"],
        ["cookie", "a=1"],
        ["cookie", "b=2"],
      ],
    });
    expect(headers).toMatchObject({ "x-a": "1, 2", cookie: "a=1; b=2" });
    expect((await sent({ headers: { "x-a": ["1", "2"] } })).headers["x-a"]).toBe("1, 2");
  });

  it("may be called like the members of an object", async () => {
    const { rawHeaders } = await sent({
      headers: [
        ["__proto__", "a"],
        ["constructor", "b"],
        ["toString", "c"],
      ],
    });
    expect(rawHeaders.join()).toContain("__proto__,a,constructor,b,tostring,c");
    const json = JSON.parse('{"__proto__":"d"}') as Record<string, string>;
    expect((await sent({ headers: json })).rawHeaders.join()).toContain("__proto__,d");
    expect(Object.prototype.toString.call({})).toBe("[object Object]");
  });

  it("that describe the connection or the framing are the mesh's own", async () => {
    const { headers, rawHeaders, body } = await sent({
      method: "POST",
      body: "abc",
      headers: {
        connection: "x-mesh-identity, close",
        "Content-Length": "1",
        expect: "100-continue",
        host: "evil",
        "keep-alive": "timeout=1",
        "proxy-authenticate": "a",
        "proxy-authorization": "a",
        "proxy-connection": "a",
        te: "trailers",
        trailer: "x",
        "Transfer-Encoding": "chunked",
        upgrade: "h2c",
        "x-mesh-identity": "kept",
      },
    });
    expect(headers.host).toBe(`127.0.0.1:${server.port}`);
    expect(headers).toMatchObject({ connection: "keep-alive", "content-length": "3", "x-mesh-identity": "kept" });
    const names = rawHeaders.filter((_part, index) => index % 2 === 0).map((name) => name.toLowerCase());
    expect(names.sort()).toEqual(["accept", "connection", "content-length", "content-type", "host", "user-agent", "x-mesh-identity"]);
    expect(body.toString()).toBe("abc");
  });

  it("have defaults for accept and user-agent only", async () => {
    expect((await sent()).headers).toMatchObject({ accept: "*/*", "user-agent": "inmesh" });
    expect((await sent({ headers: { accept: "text/html", "User-Agent": "me" } })).headers).toMatchObject({
      accept: "text/html",
      "user-agent": "me",
    });
  });

  it("lose the white space around their values, as in the standard, and no other character", async () => {
    const { rawHeaders } = await sent({ headers: { "x-a": " \t a b \r\n", "x-b": "\u00a0c\u00a0" } });
    const value = (name: string) => rawHeaders[rawHeaders.indexOf(name) + 1];
    expect(value("x-a")).toBe("a b");
    expect(value("x-b")).toBe("\u00a0c\u00a0");
    expect(new Headers({ "x-b": "\u00a0c\u00a0" }).get("x-b")).toBe("\u00a0c\u00a0");
  });

  const secret = "s3cr3t";
  it.each([
    `${secret}\r\nx-evil: 1`,
    `${secret}\nb`,
    `${secret}\rb`,
    `${secret}\0`,
    `${secret}\u0007b`,
    `${secret}\u20ac`,
    `${secret}\x7f`,
  ])("with the value %j are refused, and it is not quoted", async (value) => {
    const error = await rejectionOf(mesh.fetch("orders/x", { headers: { authorization: value } }));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain("authorization");
    expect((error as Error).message).not.toContain(secret);
    expect(server.begun).toEqual([]);
  });

  it.each(["", " ", "a b", "a\r\nb", "a:", ":authority", "\u00e4", "a\0", "(a)"])("with the name %j are refused", async (name) => {
    expect(await rejectionOf(mesh.fetch("orders/x", { headers: { [name]: "x" } }))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(mesh.fetch("orders/x", { headers: [[name, "x"]] }))).toBeInstanceOf(TypeError);
  });

  it("that are no pairs and no object are refused", async () => {
    for (const headers of [[["a"]], [["a", "b", "c"]], "a: b", 5, [null], { a: Symbol("x") }] as never[]) {
      expect(await rejectionOf(mesh.fetch("orders/x", { headers }))).toBeInstanceOf(TypeError);
    }
  });

  it("never make more header lines than there are names", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 20 }), fc.string({ unit: "binary", maxLength: 20 }), async (name, value) => {
        const before = server.seen.length;
        try {
          await mesh.fetch("orders/x", { headers: { [`x-${name}`]: value } });
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          expect(server.seen.length).toBe(before);
          return;
        }
        const { rawHeaders, body } = server.seen.at(-1) as SeenRequest;
        // host, connection, accept, user-agent and this one.
        expect(rawHeaders).toHaveLength(2 * 5);
        expect(body).toHaveLength(0);
        expect(new Headers({ [`x-${name}`]: value }).get(`x-${name}`)).toBe(rawHeaders[rawHeaders.indexOf(`x-${name}`.toLowerCase()) + 1]);
      }),
      { numRuns: 300 },
    );
  });
});

const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
const form = () => {
  const data = new FormData();
  data.append("name", "v\u00e4lue\r\n");
  data.append('na"me', "2");
  data.append("file", new File([bytes], 'f\u00fc".bin', { type: "application/x-thing" }));
  return data;
};
const undiciForm = () => {
  const data = new UndiciFormData();
  data.append("name", "v\u00e4lue\r\n");
  data.append("file", new NodeFile([bytes], "f.bin", { type: "application/x-thing" }) as never);
  return data;
};
async function* parts(): AsyncGenerator<Uint8Array | string> {
  yield bytes.subarray(0, 100);
  yield "";
  yield "t\u00e4xt";
  yield new Uint8Array();
  yield bytes.subarray(100);
}
const partsBytes = Buffer.concat([bytes.subarray(0, 100), Buffer.from("t\u00e4xt"), bytes.subarray(100)]);

describe("the body", () => {
  const kinds: readonly (readonly [string, () => BodyInput, Uint8Array, string | undefined, boolean])[] = [
    ["a string", () => "h\u00e9llo\u0000\ud800", Buffer.from("h\u00e9llo\0\ufffd"), "text/plain;charset=UTF-8", true],
    ["an empty string", () => "", Buffer.alloc(0), "text/plain;charset=UTF-8", true],
    ["a Buffer", () => Buffer.from(bytes), bytes, undefined, true],
    ["a part of an ArrayBuffer", () => new Uint8Array(bytes.buffer, 10, 20), bytes.slice(10, 30), undefined, true],
    ["a Uint16Array", () => new Uint16Array(bytes.buffer, 2, 3), bytes.slice(2, 8), undefined, true],
    ["a DataView", () => new DataView(bytes.buffer, 1, 5), bytes.slice(1, 6), undefined, true],
    ["an ArrayBuffer", () => bytes.slice().buffer, bytes, undefined, true],
    ["an empty ArrayBuffer", () => new ArrayBuffer(0), new Uint8Array(), undefined, true],
    ["a Blob", () => new Blob([bytes, "x"]), Buffer.concat([bytes, Buffer.from("x")]), undefined, true],
    ["a Blob with a type", () => new Blob(["x"], { type: "Text/CSV" }), Buffer.from("x"), "text/csv", true],
    ["a File", () => new File([bytes], "a.bin", { type: "image/png" }), bytes, "image/png", true],
    ["an empty Blob", () => new Blob([]), new Uint8Array(), undefined, true],
    [
      "URLSearchParams",
      () => new URLSearchParams({ a: "1 2", b: "\u00e4" }),
      Buffer.from("a=1+2&b=%C3%A4"),
      "application/x-www-form-urlencoded;charset=UTF-8",
      true,
    ],
    ["a ReadableStream", () => ReadableStream.from(parts()) as ReadableStream, partsBytes, undefined, false],
    ["a byte stream", () => new Blob([bytes]).stream(), bytes, undefined, false],
    ["a Node stream", () => Readable.from(parts(), { objectMode: false }), partsBytes, undefined, false],
    ["an async generator", () => parts(), partsBytes, undefined, false],
    ["a function", () => parts, partsBytes, undefined, false],
    ["a generator that yields nothing", () => (async function* () {})(), new Uint8Array(), undefined, true],
  ];
  it.each(kinds)("is %s", async (_kind, make, expected, contentType, hasLength) => {
    const { body, headers } = await sent({ method: "POST", body: make(), duplex: "half" });
    expect(Buffer.compare(body, expected)).toBe(0);
    expect(headers["content-type"]).toBe(contentType);
    expect(headers["content-length"]).toBe(hasLength ? String(expected.byteLength) : undefined);
    expect(headers["transfer-encoding"]).toBe(hasLength ? undefined : "chunked");
  });

  it("has the content type that the caller gave", async () => {
    expect((await sent({ method: "POST", body: "{}", headers: { "content-type": "application/json" } })).headers["content-type"]).toBe(
      "application/json",
    );
  });

  it.each([
    ["the global FormData", form],
    ["the FormData of the undici package", undiciForm as unknown as () => FormData],
  ])("is %s, encoded", async (_name, make) => {
    const { body, headers } = await sent({ method: "POST", body: make() });
    expect(headers["content-length"]).toBe(String(body.byteLength));
    const decoded = await new Response(body, { headers: { "content-type": headers["content-type"] as string } }).formData();
    expect(decoded.get("name")).toBe("v\u00e4lue\r\n");
    const file = decoded.get("file") as File;
    expect(file.type).toBe("application/x-thing");
    expect(Buffer.compare(await file.bytes(), bytes)).toBe(0);
  });

  it("keeps the names in a form from ending their quotes", async () => {
    const { body, headers } = await sent({ method: "POST", body: form() });
    const decoded = await new Response(body, { headers: { "content-type": headers["content-type"] as string } }).formData();
    expect([...decoded.keys()].sort()).toEqual(["file", 'na"me', "name"]);
  });

  it("is what the buffer held at the call, whatever the caller does to it later", async () => {
    const buffer = Buffer.from("before");
    const call = mesh.fetch("orders/x", { method: "POST", body: buffer });
    buffer.fill("x");
    await call;
    expect(server.seen[0]?.body.toString()).toBe("before");
  });

  it.each(["GET", "HEAD", "get"])("of a %s request is refused", async (method) => {
    for (const body of ["", "a", new FormData(), new Uint8Array()]) {
      expect(await rejectionOf(mesh.fetch("orders/x", { method, body }))).toBeInstanceOf(TypeError);
    }
    expect(server.begun).toEqual([]);
  });

  it("that is nothing is none", async () => {
    for (const body of [null, undefined]) {
      const { headers } = await sent({ method: "POST", ...(body === undefined ? {} : { body }) });
      expect(headers["content-length"]).toBe("0");
      expect(headers["content-type"]).toBeUndefined();
    }
    expect((await sent({ body: null })).headers["content-length"]).toBeUndefined();
  });

  it("that cannot be sent is refused", async () => {
    for (const body of [5, true, {}, [], Symbol("x"), new Date()] as never[]) {
      expect(await rejectionOf(mesh.fetch("orders/x", { method: "POST", body }))).toBeInstanceOf(TypeError);
    }
    expect(server.begun).toEqual([]);
  });

  it("that is a stream wants duplex", async () => {
    for (const body of [new Blob(["x"]).stream(), parts(), Readable.from(["x"])]) {
      const error = await rejectionOf(mesh.fetch("orders/x", { method: "POST", body }));
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toContain("duplex");
    }
  });

  it("that has been read already, or is being read, is refused", async () => {
    const read = new Blob(["x"]).stream();
    await read.getReader().read();
    const locked = new Blob(["x"]).stream();
    locked.getReader();
    const ended = Readable.from(["x"]);
    ended.destroy();
    for (const body of [read, locked, ended]) {
      expect(await rejectionOf(mesh.fetch("orders/x", { method: "POST", body, duplex: "half" }))).toBeInstanceOf(TypeError);
    }
    expect(server.begun).toEqual([]);
  });

  it("that fails while it is read says so, and no instance is blamed", async () => {
    const cause = new Error("disk");
    const failing: readonly (() => BodyInput)[] = [
      async function* () {
        yield "a";
        throw cause;
      },
      () => new ReadableStream({ pull: (controller) => controller.error(cause) }),
      () =>
        new Readable({
          read() {
            this.destroy(cause);
          },
        }),
    ];
    for (const make of failing) {
      const error = await rejectionOf(mesh.fetch("orders/x", { method: "POST", body: make(), duplex: "half" }));
      expect(error).toMatchObject({ code: "ERR_MESH_BODY", cause: { cause } });
    }
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0, state: "available" });
  });

  it("that yields something else than text and bytes says so, and no instance is blamed", async () => {
    for (const chunk of [5, null, {}, [1]]) {
      const body = (async function* () {
        yield chunk as never;
      })();
      expect(await rejectionOf(mesh.fetch("orders/x", { method: "POST", body, duplex: "half" }))).toMatchObject({ code: "ERR_MESH_BODY" });
    }
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0 });
  });

  it("that is made by a function which throws, or makes no stream, says so and sends nothing", async () => {
    const cause = new Error("no stream");
    const functions = [
      () => {
        throw cause;
      },
      () => "text",
      () => undefined,
    ];
    for (const body of functions) {
      expect(await rejectionOf(mesh.fetch("orders/x", { method: "POST", body: body as never }))).toMatchObject({
        code: "ERR_MESH_BODY",
        maybeExecuted: false,
      });
    }
    expect(server.begun).toEqual([]);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0 });
  });

  it("that is a stream has the length that the caller gives, and is held to it", async () => {
    const bodies: readonly (() => BodyInput)[] = [
      () => ReadableStream.from(parts()) as ReadableStream,
      () => Readable.from(parts()),
      () => parts(),
      () => parts,
    ];
    const length = partsBytes.byteLength;
    for (const make of bodies) {
      const send = (given: number | string) =>
        mesh.fetch("orders/x", { method: "POST", body: make(), duplex: "half", headers: { "Content-Length": given } });
      expect((await send(length)).status).toBe(200);
      const seen = server.seen.at(-1) as SeenRequest;
      expect(seen.headers).toMatchObject({ "content-length": String(length) });
      expect(seen.headers["transfer-encoding"]).toBeUndefined();
      expect(Buffer.compare(seen.body, partsBytes)).toBe(0);
      for (const wrong of [length - 1, length + 1, 0]) expect(await rejectionOf(send(wrong))).toMatchObject({ code: "ERR_MESH_BODY" });
      for (const nonsense of ["", "-1", "1e3", "5, 6", "9".repeat(20)]) expect(await rejectionOf(send(nonsense))).toBeInstanceOf(TypeError);
    }
    expect(server.seen).toHaveLength(bodies.length);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0 });
  });

  it("that is a stream of no bytes is sent with the length 0", async () => {
    const { headers } = await sent({
      method: "POST",
      body: Readable.from([]),
      duplex: "half",
      headers: { "content-length": "0" },
    });
    expect(headers).toMatchObject({ "content-length": "0" });
  });

  it("that is a form has the length of its files, which are read while they are sent", async () => {
    const size = 48 * 2 ** 20;
    const directory = await mkdtemp(join(tmpdir(), "inmesh-form-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, "large"), Buffer.alloc(size));
    const large = new FormData();
    large.append("a", "b");
    large.append("file", await openAsBlob(join(directory, "large")), "large");
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    let received = 0;
    let highest = 0;
    let length: string | undefined;
    const sink = createServer((request, response) => {
      length = request.headers["content-length"];
      request.on("data", (chunk: Buffer) => {
        received += chunk.byteLength;
        if (received % 100 === 0) collectGarbage();
        highest = Math.max(highest, process.memoryUsage().arrayBuffers - before);
      });
      request.on("end", () => response.end());
    });
    const uploads = meshOf({ uploads: await listening(sink) }, { attemptTimeoutMs: false, timeoutMs: false });
    expect((await uploads.fetch("uploads/x", { method: "POST", body: large })).status).toBe(200);
    expect(received).toBeGreaterThan(size);
    expect(length).toBe(String(received));
    expect(highest).toBeLessThan(size / 2);
  });

  it("that was not started moves to another instance untouched", async () => {
    const two = meshOf({ orders: [await closedPort(), await closedPort(), server.port] }, { random: () => 0 });
    for (let turn = 0; turn < 3; turn++) {
      const made: readonly BodyInput[] = [
        Readable.from(["a", "b"]),
        ReadableStream.from(["a", "b"]) as ReadableStream,
        (async function* () {
          yield "ab";
        })(),
      ];
      for (const body of made) {
        server.seen.length = 0;
        expect((await two.fetch("orders/x", { method: "POST", body, duplex: "half" })).status).toBe(200);
        expect(server.seen.map((request) => request.body.toString())).toEqual(["ab"]);
      }
    }
    expect(two.explain("orders")?.endpoints.filter(({ failures }) => failures > 0)).toHaveLength(2);
  });
});

describe("a Request", () => {
  it("of the global class is sent with everything it has", async () => {
    const request = new Request("http://orders/a?b", { method: "POST", body: "text", headers: { "x-a": "1" } });
    expect((await mesh.fetch(request)).status).toBe(200);
    expect(server.seen[0]).toMatchObject({
      method: "POST",
      url: "/a?b",
      headers: { "x-a": "1", "content-type": "text/plain;charset=UTF-8" },
    });
    expect(server.seen[0]?.body.toString()).toBe("text");
    expect(request.bodyUsed).toBe(true);
  });

  it("made of something whole is sent with its length, and again where that is safe", async () => {
    let refusals = 0;
    const refusing = await serve((request, response) => {
      if (refusals++ % 2 === 0) response.writeHead(503, { "x-mesh-refused": "1" });
      response.end(request.headers["content-length"]);
    });
    const retrying = meshOf({ orders: refusing.port }, { retry: { budget: { minRetriesPerSecond: 100 } } });
    const make: readonly (() => BodyInput)[] = [
      () => "text",
      () => bytes,
      () => new Blob([bytes]),
      () => new URLSearchParams({ a: "b" }),
      form,
      () => "",
    ];
    for (const body of make) {
      const request = new Request("http://orders/a", { method: "POST", body: body() as never });
      const response = await retrying.fetch(request.clone() as Request);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(String((await request.arrayBuffer()).byteLength));
    }
    expect(refusing.seen).toHaveLength(2 * make.length);
  });

  it("of a class without streams is sent with its body", async () => {
    const request = {
      url: "http://orders/a",
      method: "POST",
      headers: new Headers({ "x-a": "1" }),
      redirect: "follow",
      bodyUsed: false,
      arrayBuffer: async () => Buffer.from("text"),
    };
    expect((await mesh.fetch(request as never)).status).toBe(200);
    expect(server.seen[0]).toMatchObject({ method: "POST", headers: { "x-a": "1", "content-length": "4" } });
    expect(server.seen[0]?.body.toString()).toBe("text");
  });

  it("of the undici package is sent with everything it has", async () => {
    const request = new UndiciRequest("http://orders/a?b", { method: "PUT", body: bytes, headers: { "x-a": "1" } }) as unknown as Request;
    expect((await mesh.fetch(request)).status).toBe(200);
    expect(server.seen[0]).toMatchObject({ method: "PUT", url: "/a?b", headers: { "x-a": "1" } });
    expect(Buffer.compare(server.seen[0]?.body as Buffer, bytes)).toBe(0);
  });

  it("gives way to the init, where that says something", async () => {
    const make = () => new Request("http://orders/a", { method: "POST", body: "text", headers: { "x-a": "1" } });
    await mesh.fetch(make(), { method: "PUT", headers: { "x-b": "2" }, body: "other" });
    expect(server.seen[0]).toMatchObject({ method: "PUT", headers: { "x-b": "2" } });
    expect(server.seen[0]?.headers).not.toHaveProperty("x-a");
    expect(server.seen[0]?.body.toString()).toBe("other");
    const nothing = {
      method: undefined,
      headers: undefined,
      body: undefined,
      signal: undefined,
      duplex: undefined,
      redirect: undefined,
      mesh: undefined,
    };
    await mesh.fetch(make(), nothing as never);
    expect(server.seen[1]).toMatchObject({ method: "POST", headers: { "x-a": "1" } });
    expect(server.seen[1]?.body.toString()).toBe("text");
    await mesh.fetch(make(), { body: null });
    expect(server.seen[2]?.body.toString()).toBe("text");
  });

  it("cannot be sent twice when it has a body", async () => {
    const request = new Request("http://orders/a", { method: "POST", body: "text" });
    await mesh.fetch(request);
    expect(await rejectionOf(mesh.fetch(request))).toBeInstanceOf(TypeError);
    expect((await mesh.fetch(request, { body: "again" })).status).toBe(200);
    const get = new Request("http://orders/a");
    await mesh.fetch(get);
    expect((await mesh.fetch(get)).status).toBe(200);
  });

  it("brings its signal, which the init can replace or take away", async () => {
    const reason = new Error("over");
    for (const Class of [Request, UndiciRequest as unknown as typeof Request]) {
      const request = new Class("http://orders/a", { signal: AbortSignal.abort(reason) });
      expect(await rejectionOf(mesh.fetch(request))).toBe(reason);
      expect((await mesh.fetch(request, { signal: null })).status).toBe(200);
      expect((await mesh.fetch(request, { signal: new AbortController().signal })).status).toBe(200);
    }
  });

  it("of an address or with a port is refused", async () => {
    expect(await rejectionOf(mesh.fetch(new Request("http://127.0.0.1/")))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.fetch(new Request("http://orders:8080/")))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
  });
});

describe("init.mesh", () => {
  it.each([
    [{ timeoutms: 5 }, 'init.mesh has no option "timeoutms"; it has timeoutMs'],
    [{ timeoutMs: "5" }, 'mesh.timeoutMs must be a number, not "5"'],
    [{ timeoutMs: 0 }, "mesh.timeoutMs must be at least 1, not 0"],
    [{ timeoutMs: Number.NaN }, "mesh.timeoutMs"],
    [{ attemptTimeoutMs: -1 }, "mesh.attemptTimeoutMs must be at least 1, not -1"],
    [{ idempotent: "yes" }, 'mesh.idempotent must be true or false, not "yes"'],
    [{ retry: 3 }, "mesh.retry must be false or absent, not 3"],
    [{ hashKey: 7 }, "mesh.hashKey must be a string, not 7"],
    [{ route: {} }, "mesh.route must be a string, not an object"],
    [null, "mesh must be an object"],
    [5, "mesh must be an object"],
  ])("%j is refused", async (options, message) => {
    const error = await rejectionOf(mesh.fetch("orders/x", { mesh: options as never }));
    expect((error as Error).message).toContain(message);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect(server.begun).toEqual([]);
  });

  it("is taken with all its fields", async () => {
    const all = { timeoutMs: 5_000, attemptTimeoutMs: false, idempotent: true, retry: false, hashKey: "a", route: "/x" } as const;
    expect((await mesh.fetch("orders/x", { mesh: all })).status).toBe(200);
  });
});

describe("redirect", () => {
  it("follows nothing: a redirect is a response", async () => {
    const redirecting = await serve((_request, response) => response.writeHead(302, { location: "http://evil/" }).end("there"));
    const client = meshOf({ orders: redirecting.port });
    const response = await client.fetch("orders/x");
    expect([response.status, response.headers.get("location"), response.redirected, await response.text()]).toEqual([
      302,
      "http://evil/",
      false,
      "there",
    ]);
    expect((await client.fetch(new Request("http://orders/x"))).status).toBe(302);
    expect(redirecting.seen).toHaveLength(2);
    const error = await rejectionOf(client.fetch("orders/x", { redirect: "error" }));
    expect(error).toMatchObject({ code: "ERR_MESH_PROTOCOL", service: "orders", maybeExecuted: true });
    expect(await rejectionOf(client.fetch(new Request("http://orders/x", { redirect: "error" })))).toMatchObject({
      code: "ERR_MESH_PROTOCOL",
    });
  });

  it.each(["sideways", "", 5])("%j is refused", async (redirect) => {
    expect(await rejectionOf(mesh.fetch("orders/x", { redirect: redirect as never }))).toBeInstanceOf(TypeError);
    expect(server.begun).toEqual([]);
  });
});
