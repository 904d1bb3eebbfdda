import { createServer as createHttp2, createSecureServer, type Http2Server } from "node:http2";
import { describe, expect, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { certificate } from "../support/certificate.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { listening, serveRaw } from "../support/servers.ts";

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
