import { createSecureServer, type Http2SecureServer } from "node:http2";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../../src/mesh/mesh.ts";
import { certificate } from "../../support/certificate.ts";
import { closing } from "../../support/mesh.ts";

type Protocols = "1.1" | "1.1 and 2";

/** A server on one port that can be replaced by one with other protocols. */
async function serveTls() {
  let server: Server | Http2SecureServer | undefined;
  let port = 0;
  let accepted = 0;
  const sockets = new Set<import("node:net").Socket>();
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  };
  onTestFinished(stop);
  return {
    get port() {
      return port;
    },
    get accepted() {
      return accepted;
    },
    async speak(protocols: Protocols) {
      await stop();
      const answer = (request: { httpVersion: string }, response: { end(text: string): unknown }) =>
        void response.end(`HTTP/${request.httpVersion}`);
      server =
        protocols === "1.1" ? createServer(certificate, answer) : createSecureServer({ ...certificate, allowHTTP1: true }, answer as never);
      server.on("connection", (socket) => {
        accepted++;
        sockets.add(socket);
        socket.on("error", () => {});
      });
      await new Promise<void>((resolve) => (server as Server).listen(port, "127.0.0.1", resolve));
      port = (server.address() as AddressInfo).port;
    },
  };
}

const meshTo = (port: number): Mesh =>
  closing(
    createMesh({
      discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port, secure: true }] }),
      tls: { ca: certificate.cert },
      protocol: "auto",
      breaker: false,
      drainTimeoutMs: 0,
    }),
  );

const textOf = async (mesh: Mesh, init: object = {}) => (await mesh.fetch("users/x", init)).text();

it("the first connection is used, whichever protocol the instance chooses on it", async () => {
  for (const [protocols, spoken] of [
    ["1.1", "HTTP/1.1"],
    ["1.1 and 2", "HTTP/2.0"],
  ] as const) {
    const server = await serveTls();
    await server.speak(protocols);
    expect([await textOf(meshTo(server.port)), server.accepted]).toEqual([spoken, 1]);
  }
});

it("requests that wait for the choice go out by either protocol", async () => {
  const server = await serveTls();
  await server.speak("1.1");
  const mesh = meshTo(server.port);
  const calls = Array.from({ length: 20 }, (_, index) => textOf(mesh, index % 2 === 0 ? {} : { method: "POST", body: "content" }));
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["HTTP/1.1"]));
});

it("an instance that comes back with another protocol is understood, both ways", async () => {
  const server = await serveTls();
  await server.speak("1.1");
  const mesh = meshTo(server.port);
  expect(await textOf(mesh)).toBe("HTTP/1.1");
  await server.speak("1.1 and 2");
  expect(await textOf(mesh)).toBe("HTTP/2.0");
  await server.speak("1.1");
  expect(await textOf(mesh)).toBe("HTTP/1.1");
});
