import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2, createSecureServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { certificate } from "../support/certificate.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { listening, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const size = 12_000_000;

const bodies: Readonly<Record<string, () => string | Uint8Array | Blob | ReadableStream>> = {
  text: () => "x".repeat(size),
  bytes: () => new Uint8Array(size),
  "a Blob": () => new Blob([new Uint8Array(size)]),
  "a stream": () => new Blob([new Uint8Array(size)]).stream(),
};

const post = (mesh: Mesh, body: ReturnType<(typeof bodies)[string]>) =>
  mesh.fetch("shop/early", { method: "POST", body: body as string, duplex: "half" });

/** Answers an upload before it has come, and resets the rest without an error, as nginx and Go's net/http do (RFC 9113 §8.1). */
async function serveEarly(isSecure: boolean): Promise<{ port: number; sessions: () => number }> {
  const server = (isSecure ? createSecureServer({ ...certificate }) : createHttp2()) as Http2Server;
  let sessions = 0;
  server.on("session", (session) => {
    sessions++;
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/early") {
      stream.respond({ ":status": 413 });
      stream.end("too large", () => setImmediate(() => stream.close(0)));
      return;
    }
    stream.resume();
    stream.on("end", () => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200 });
      stream.end("ok");
    });
  });
  return { port: await listening(server), sessions: () => sessions };
}

describe.each([
  ["without TLS", false],
  ["with TLS", true],
])("an answer over HTTP/2 %s before the upload has ended", (_tls, isSecure) => {
  it.each(Object.entries(bodies))("is delivered, and spoils nothing for later calls: %s", async (_kind, body) => {
    const server = await serveEarly(isSecure);
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery({ shop: [{ host: "127.0.0.1", port: server.port, secure: isSecure }] }),
        protocol: "h2",
        tls: { ca: certificate.cert },
        breaker: false,
        drainTimeoutMs: 0,
      }),
    );
    for (let index = 0; index < 5; index++) {
      const response = await post(mesh, body());
      expect([response.status, await response.text()]).toEqual([413, "too large"]);
      expect(await (await mesh.fetch("shop/x", { method: "POST", body: "small" })).text()).toBe("ok");
    }
  });
});

describe("an answer over HTTP/1.1 before the upload has ended", () => {
  it.each(Object.entries(bodies))("is delivered, and no later call waits behind the rest: %s", async (_kind, body) => {
    // Reads nothing more on a connection on which it has refused something, and leaves it open.
    const server = await serveRaw((socket, head) => {
      if (head.startsWith("POST")) {
        socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 9\r\n\r\ntoo large");
        socket.pause();
      } else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    const mesh = meshOf({ shop: server.port }, { breaker: false, retry: false, attemptTimeoutMs: 1_500, connections: { max: 1 } });
    const response = await post(mesh, body());
    expect([response.status, await response.text()]).toEqual([413, "too large"]);
    expect(await (await mesh.fetch("shop/x", { method: "DELETE" })).text()).toBe("ok");
  });
});

const pieces = 100;
const pieceBytes = 64 * 1024;

/** An upload of 100 pieces, which notes its end. The source waits for the turn of the loop, as one of a socket would. */
function upload() {
  const source = { sent: 0, isClosed: false };
  async function* body() {
    try {
      for (; source.sent < pieces; source.sent++) {
        yield new Uint8Array(pieceBytes);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      source.isClosed = true;
    }
  }
  return { source, body };
}

/** A counter of the bytes of each upload, and how each has ended. */
interface Counted {
  bytes: number;
  end: string | undefined;
}

/** `/early` is answered whole after the first bytes; of `/echo` the head is, and the number of bytes follows their end. */
async function serveCounting(protocol: "h1" | "h2"): Promise<{ port: number; uploads: Counted[]; connections: () => number }> {
  const uploads: Counted[] = [];
  let connections = 0;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const upload: Counted = { bytes: 0, end: undefined };
    uploads.push(upload);
    const early = request.url === "/early";
    response.writeHead(200);
    if (!early) response.write("bytes: ");
    // Neither is told more of a request that it has answered: Node ends a stream that was reset, whose code tells why.
    const { stream } = request as { stream?: ServerHttp2Stream };
    const close = () => {
      upload.end ??= stream === undefined ? "stopped" : `reset with ${stream.rstCode}`;
    };
    if (stream === undefined) request.socket.once("close", close);
    else stream.once("close", close);
    request.on("error", () => {});
    request.on("data", (chunk: Buffer) => {
      upload.bytes += chunk.length;
      if (early && !response.writableEnded) response.end("enough");
    });
    request.on("end", () => {
      if (stream?.rstCode) return;
      upload.end ??= "whole";
      if (!early) response.end(String(upload.bytes));
    });
  };
  const server = protocol === "h2" ? createHttp2(answer as never) : createHttp1(answer);
  server.on(protocol === "h2" ? "session" : "connection", () => connections++);
  return { port: await listening(server), uploads, connections: () => connections };
}

const protocols = ["h1", "h2"] as const;
type Upload = (mesh: Mesh, path: string, body: () => AsyncGenerator<Uint8Array>) => Promise<string>;
const uploadDoors: Readonly<Record<string, Upload>> = {
  fetch: async (mesh, path, body) => (await mesh.fetch(`shop${path}`, { method: "POST", body: body(), duplex: "half" })).text(),
  request: async (mesh, path, body) => (await mesh.request(`shop${path}`, { method: "POST", body: body(), duplex: "half" })).body.text(),
  dispatcher: async (mesh, path, body) => {
    const asked = { origin: "http://shop", path, method: "POST", body: Readable.from(body()) };
    return (await mesh.dispatcher().request(asked as never)).body.text();
  },
};
const uploadCases = protocols.flatMap((protocol) => Object.entries(uploadDoors).map(([door, send]) => ({ protocol, door, send })));

describe("an upload that is answered early without a reset", () => {
  it.each(uploadCases)(
    "is stopped over $protocol by $door when the whole answer is there, which is delivered",
    async ({ protocol, send }) => {
      const server = await serveCounting(protocol);
      const mesh = meshOf({ shop: server.port }, { protocol, retry: false });
      const { source, body } = upload();
      expect(await send(mesh, "/early", body)).toBe("enough");
      await until("the source has been let go", () => source.isClosed);
      await until("the instance knows that there is no more", () => server.uploads[0]?.end !== undefined);
      expect(source.sent).toBeLessThan(pieces);
      expect(server.uploads[0]?.end).toBe(protocol === "h2" ? "reset with 8" : "stopped");
      expect(server.uploads[0]?.bytes).toBeLessThan(pieces * pieceBytes);
      expect(mesh.explain("shop")?.endpoints[0]).toMatchObject({ failures: 0, inFlight: 0 });
      expect(await send(mesh, "/echo", upload().body)).toBe(`bytes: ${pieces * pieceBytes}`);
      expect(server.connections()).toBe(protocol === "h2" ? 1 : 2);
    },
  );

  it.each(uploadCases)("goes on over $protocol by $door while the answer does", async ({ protocol, send }) => {
    const server = await serveCounting(protocol);
    const mesh = meshOf({ shop: server.port }, { protocol, retry: false });
    const { source, body } = upload();
    expect(await send(mesh, "/echo", body)).toBe(`bytes: ${pieces * pieceBytes}`);
    expect([source.sent, source.isClosed, server.uploads[0]?.end]).toEqual([pieces, true, "whole"]);
  });
});
