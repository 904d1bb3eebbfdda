import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { available } from "../servers/available.ts";
import { startHttp2Envoy } from "../servers/envoy.ts";
import { type Http2Front, startHttp2Nginx } from "../servers/nginx.ts";
import { certificate } from "../support/certificate.ts";

/** The instance behind the servers. Tells what it got; `/trailers` ends as a call of gRPC does. */
const instance = createServer((request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
  });
  request.on("end", () => {
    if (request.url === "/trailers") {
      response.writeHead(200, { "content-type": "application/grpc" });
      response.write("message");
      response.addTrailers({ "grpc-status": "0", "grpc-message": "done" });
      response.end();
      return;
    }
    response.end(JSON.stringify({ method: request.method, path: request.url, length: request.headers["content-length"], bytes }));
  });
});

describe.each([
  { name: "nginx", start: startHttp2Nginx },
  { name: "envoy", start: startHttp2Envoy },
] as const)("over HTTP/2, a real $name", ({ name, start }) => {
  describe.skipIf(!available(name)).each(["in clear text", "by TLS"] as const)("%s", (way) => {
    let front: Http2Front;
    beforeAll(async () => {
      if (!instance.listening) await once(instance.listen(0, "127.0.0.1"), "listening");
      front = await start({ host: "127.0.0.1", port: (instance.address() as AddressInfo).port });
    }, 60_000);
    afterAll(async () => {
      await front?.stop();
    });

    function meshOf(options: Partial<MeshOptions> = { retry: false }): Mesh {
      const secure = way === "by TLS";
      const endpoint = { host: "127.0.0.1", port: secure ? front.tlsPort : front.port, secure };
      const discovery = staticDiscovery({ orders: [endpoint] });
      const mesh = createMesh({ discovery, protocol: "h2", tls: { ca: certificate.cert }, drainTimeoutMs: 0, ...options });
      onTestFinished(() => mesh.close());
      return mesh;
    }
    const failures = (mesh: Mesh) => mesh.explain("orders")?.endpoints[0]?.failures;

    it("answers a GET, a POST with its length, and an upload of unknown length", async () => {
      const mesh = meshOf();
      expect(await (await mesh.fetch("orders/x?y")).json()).toMatchObject({ method: "GET", path: "/x?y", bytes: 0 });
      const posted = await mesh.fetch("orders/p", { method: "POST", body: "x".repeat(40_000) });
      expect(await posted.json()).toMatchObject({ method: "POST", length: "40000", bytes: 40_000 });
      const stream = new ReadableStream({
        start(controller) {
          for (let part = 0; part < 10; part++) controller.enqueue(new Uint8Array(4_000));
          controller.close();
        },
      });
      const streamed = await mesh.fetch("orders/s", { method: "PUT", body: stream, duplex: "half" });
      expect(await streamed.json()).toMatchObject({ method: "PUT", bytes: 40_000 });
    });

    it("hands on trailers", async () => {
      const response = await meshOf().fetch("orders/trailers", { method: "POST", headers: { te: "trailers" }, body: "m" });
      expect(await response.text()).toBe("message");
      expect(Object.fromEntries((response as unknown as { readonly trailers: Headers }).trailers)).toMatchObject({
        "grpc-status": "0",
        "grpc-message": "done",
      });
    });

    it("loses no request where it ends its connections: those that it has not begun are sent again, POSTs too", async () => {
      const mesh = meshOf({});
      const statuses: number[] = [];
      for (let round = 0; round < 12; round++) {
        const calls = Array.from({ length: 10 }, async (_, index) => {
          const response = await mesh.fetch(`orders/${round}-${index}`, { method: "POST", body: "content" });
          expect(await response.json()).toMatchObject({ bytes: 7 });
          statuses.push(response.status);
        });
        await Promise.all(calls);
      }
      expect(statuses).toEqual(Array.from({ length: 120 }, () => 200));
    });

    it("answers with a 204, and is no failure", async () => {
      const mesh = meshOf();
      const response = await mesh.fetch("orders/empty");
      expect([response.status, await response.text()]).toEqual([204, ""]);
      expect(failures(mesh)).toBe(0);
    });

    // HTTP forbids it (RFC 9110 §8.6), and the library below node:http2 refuses the stream.
    const itOfNginx = name === "nginx" ? it : () => {};
    itOfNginx("answers with a 204 that has a length, which is an error of that call alone", async () => {
      const mesh = meshOf();
      const open = mesh.fetch("orders/beside", { method: "POST", body: "content" });
      await expect(mesh.fetch("orders/wrong")).rejects.toMatchObject({ code: "ERR_MESH_PROTOCOL" });
      expect((await open).status).toBe(200);
    });

    it("refuses a body that is too large, whose answer arrives, and goes on", async () => {
      const mesh = meshOf();
      for (let call = 0; call < 5; call++) {
        const refused = await mesh.fetch("orders/large", { method: "POST", body: new Uint8Array(2_000_000) });
        expect(refused.status).toBe(413);
        await refused.text();
        expect((await mesh.fetch("orders/after")).status).toBe(200);
      }
      expect(failures(mesh)).toBe(0);
    });

    it("refuses a head that is too large, for which it is not blamed", async () => {
      const mesh = meshOf();
      const headers = { "x-large": "x".repeat(90_000) };
      const ended = await mesh.fetch("orders/head", { headers }).then(
        ({ status }) => status,
        (error: { readonly code: string }) => error.code,
      );
      expect([400, 431, "ERR_MESH_PROTOCOL"]).toContain(ended);
      expect((await mesh.fetch("orders/after")).status).toBe(200);
      expect(failures(mesh)).toBe(0);
    });
  });
});

afterAll(() => {
  instance.close();
});
