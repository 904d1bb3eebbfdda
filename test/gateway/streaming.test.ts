import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { gatewayTo, http2Client } from "../support/gateway.ts";
import { serve, serveRaw } from "../support/servers.ts";

const mebibyte = Buffer.alloc(1 << 20, "x");

/** A server that answers by itself, without reading bodies first. */
async function streaming(answer: (request: IncomingMessage, response: import("node:http").ServerResponse) => void): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("bodies through a gateway", () => {
  test("stream both ways at once, over HTTP/1.1 and HTTP/2", async () => {
    const instance = await streaming((incoming, response) => void incoming.pipe(response));
    const { port, http2Port } = await gatewayTo(instance);
    const heard: string[] = [];
    const call = request({ port, host: "127.0.0.1", method: "POST" });
    call.write("one");
    await new Promise<void>((resolve) => {
      call.on("response", (response) => {
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          heard.push(text);
          if (heard.length === 1) call.end("two");
        });
        response.on("end", resolve);
      });
    });
    expect(heard.join("")).toBe("onetwo");
    const stream = http2Client(http2Port).request({ ":method": "POST", ":path": "/" });
    stream.setEncoding("utf8");
    stream.write("one");
    const parts: string[] = [];
    await new Promise<void>((resolve) => {
      stream.on("data", (text: string) => {
        parts.push(text);
        if (parts.length === 1) stream.end("two");
      });
      stream.on("end", resolve);
    });
    expect(parts.join("")).toBe("onetwo");
  });

  test("of 64 MiB pass in both directions with the pace of a slow reader", async () => {
    const size = 64;
    let sent = 0;
    let received = 0;
    const instance = await streaming((incoming, response) => {
      incoming.on("data", (chunk: Buffer) => (received += chunk.byteLength));
      incoming.on("end", async () => {
        for (let index = 0; index < size; index++) {
          if (!response.write(mebibyte)) await new Promise((resolve) => response.once("drain", resolve));
          sent++;
        }
        response.end();
      });
    });
    const { port } = await gatewayTo(instance, { maxBodyBytes: false });
    let got = 0;
    let ahead = 0;
    await new Promise<void>((resolve, reject) => {
      const call = request({ port, host: "127.0.0.1", method: "PUT", headers: { "content-length": size * mebibyte.byteLength } });
      call.on("error", reject);
      call.on("response", (response) => {
        response.on("data", (chunk: Buffer) => {
          got += chunk.byteLength;
          ahead = Math.max(ahead, sent * mebibyte.byteLength - got);
        });
        response.on("end", resolve);
        response.pause();
        // As long as nothing reads, the instance cannot get far ahead.
        setTimeout(() => response.resume(), 200);
      });
      void (async () => {
        for (let index = 0; index < size; index++) if (!call.write(mebibyte)) await new Promise((resolve_) => call.once("drain", resolve_));
        call.end();
      })();
    });
    expect(received).toBe(size * mebibyte.byteLength);
    expect(got).toBe(size * mebibyte.byteLength);
    expect(ahead).toBeLessThan(24 * mebibyte.byteLength);
  });

  test("sends a small body to another instance after a failure", async () => {
    const broken = await serveRaw((socket) => socket.destroy());
    const healthy = await serve((_request, response) => response.end("done"));
    const { port } = await gatewayTo([broken.port, healthy.port], {}, { retry: { methods: "idempotent" } } as never);
    for (let index = 0; index < 6; index++) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "PUT", body: "small" });
      expect(await response.text()).toBe("done");
    }
    expect(healthy.seen.every(({ body }) => body.toString() === "small")).toBe(true);
  });

  test("gets 413 where they are too large, with a length and without one", async () => {
    const instance = await serve();
    const { port } = await gatewayTo(instance.port, { maxBodyBytes: 1_000 });
    const known = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x".repeat(1_001) });
    expect(known.status).toBe(413);
    const unknown = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: new Blob(["x".repeat(600), "x".repeat(600)]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(unknown.status).toBe(413);
    expect(instance.seen).toHaveLength(0);
  });

  test("gets 408 where the next part does not come in time", async () => {
    const instance = await serve();
    const { port } = await gatewayTo(instance.port, { bodyTimeoutMs: 50 });
    for (const headers of [{ "content-length": "10" }, { "transfer-encoding": "chunked" }]) {
      const status = await new Promise<number | undefined>((resolve) => {
        const call = request({ port, host: "127.0.0.1", method: "POST", headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        call.on("error", () => {});
        call.write("one");
      });
      expect(status).toBe(408);
    }
  });

  test("gets its answer although the instance answers before it has all of the body", async () => {
    const instance = await streaming((_incoming, response) => response.writeHead(401, { connection: "close" }).end("no"));
    const { port } = await gatewayTo(instance, { maxBodyBytes: false });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request({ port, host: "127.0.0.1", method: "POST", headers: { "transfer-encoding": "chunked" } }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      });
      call.on("error", reject);
      call.write(Buffer.alloc(1_000));
      setTimeout(() => call.end(Buffer.alloc(1_000)), 50);
    });
    expect(status).toBe(401);
  });

  test("cuts the connection of a client that takes nothing of its response", async () => {
    const instance = await streaming((_incoming, response) => {
      const more = (): void => void (response.writable && response.write(mebibyte, more));
      more();
    });
    const { port } = await gatewayTo(instance, { sendTimeoutMs: 100 });
    const ended = await new Promise<string>((resolve) => {
      const call = request({ port, host: "127.0.0.1" }, (response) => {
        response.pause();
        setTimeout(() => response.resume(), 400);
        response.on("error", () => resolve("cut off"));
        response.on("end", () => resolve("whole"));
      });
      call.on("error", () => resolve("cut off"));
      call.end();
    });
    expect(ended).toBe("cut off");
  });
});
