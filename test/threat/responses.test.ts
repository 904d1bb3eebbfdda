import type { Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { errorCode, frameType, type PeerConnection } from "../behaviour/http2-connection.ts";
import { servePeer } from "../behaviour/http2-peer.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";

/** A mesh over an instance that answers each request with these bytes. */
async function answering(bytes: string | Buffer | ((socket: Socket, head: string) => void), options = {}) {
  const raw = await serveRaw((socket, head) => {
    if (typeof bytes === "function") bytes(socket, head);
    else socket.end(bytes);
  });
  return { raw, mesh: meshOf({ svc: raw.port }, { retry: false, breaker: false, ...options }) };
}

describe("an instance that an attacker has", () => {
  it("T22: redirects are answers, and where they are followed they stay in the service, with what they were sent", async () => {
    const inside = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ninside"));
    const places = [
      `http://127.0.0.1:${inside.port}/latest/meta-data`,
      "http://other/x",
      "//other/x",
      "https://svc/x",
      "file:///etc/passwd",
      "http://svc@other/x",
    ];
    for (const place of places) {
      const { mesh, raw } = await answering(`HTTP/1.1 307 x\r\nlocation: ${place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      const init = { method: "POST", body: "secret", headers: { authorization: "Bearer x", "x-api-key": "y" } };
      expect((await mesh.fetch("svc/x", init)).status).toBe(307);
      const error = await rejectionOf(mesh.fetch("svc/x", { ...init, redirect: "follow" }));
      expect((error as { code?: string }).code, place).toBe(place.startsWith("https") ? "ERR_MESH_INVALID_TARGET" : "ERR_MESH_PROTOCOL");
      expect(raw.received).toHaveLength(2);
    }
    expect(inside.received).toEqual([]);
  });

  it("T28: a body that grows a hundredfold, is compressed several times or by another coding than it says is given up", async () => {
    const small = gzipSync(Buffer.alloc(64 * 1_048_576));
    const bodies: readonly (readonly [coding: string, body: Buffer])[] = [
      ["gzip", small],
      ["br", brotliCompressSync(Buffer.alloc(64 * 1_048_576), { params: { 1: 1 } })],
      ["gzip, gzip", gzipSync(small)],
      ["gzip", Buffer.from("no gzip at all")],
    ];
    for (const [coding, body] of bodies) {
      const { mesh } = await answering(
        Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${body.length}\r\n\r\n`), body]),
      );
      const before = process.memoryUsage().rss;
      const error = await rejectionOf(mesh.fetch("svc/x").then((response) => response.arrayBuffer()));
      expect(error, coding).toMatchObject({ code: "ERR_MESH_BODY" });
      expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1_048_576);
    }
    // More codings than two on top of each other are not decoded at all.
    const five = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip, gzip, gzip, gzip, gzip\r\ncontent-length: ${small.length}\r\n\r\n`;
    const { mesh, raw } = await answering(Buffer.concat([Buffer.from(five), small]));
    expect((await (await mesh.fetch("svc/x")).arrayBuffer()).byteLength).toBe(small.length);
    // Nothing is asked for that is not decoded.
    const accepted = /^accept-encoding: (.*)$/im.exec(raw.received.join(""))?.[1] ?? "";
    expect(accepted.split(/, */).filter((each) => each !== "" && !["gzip", "br", "deflate", "zstd"].includes(each))).toEqual([]);
  });

  it.each<[what: string, head: string]>([
    ["both lengths", "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nevil!"],
    ["two lengths", "content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"],
    ["a list of lengths", "content-length: 5, 6\r\n\r\nhello!"],
    ["a length that is no number", "content-length: +5\r\n\r\nhello"],
    ["a folded header", "x-a: b\r\n c\r\ncontent-length: 5\r\n\r\nhello"],
    ["a bare line feed", "x-a: b\ncontent-length: 5\n\nhello"],
    ["a chunk size that is none", "transfer-encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n"],
    ["a space before the colon", "content-length : 5\r\n\r\nhello"],
    ["chunks within another coding", "transfer-encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
  ])("T30: an answer with %s fails, and its connection is not used again", async (_what, head) => {
    const { mesh, raw } = await answering((socket) => socket.write(`HTTP/1.1 200 OK\r\n${head}`), {
      timeoutMs: 2_000,
      bodyIdleTimeoutMs: 500,
    });
    const error = await rejectionOf(mesh.fetch("svc/x").then((response) => response.text()));
    expect((error as { code?: string }).code).toMatch(/^ERR_MESH_(?:PROTOCOL|BODY|TIMEOUT)$/);
    await rejectionOf(mesh.fetch("svc/y").then((response) => response.text()));
    expect(raw.received.map((bytes) => bytes.split(" HTTP/1.1").length - 1).filter((requests) => requests > 1)).toEqual([]);
  });

  it("T30: heads without an end are given up by their size, and extensions of chunks by the time", async () => {
    for (const head of [`x-a: ${"b".repeat(1_000_000)}\r\n\r\n`, "x-a: b\r\n".repeat(100_000)]) {
      const { mesh } = await answering((socket) => socket.write(`HTTP/1.1 200 OK\r\n${head}`));
      expect(await rejectionOf(mesh.fetch("svc/x"))).toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    }
    const endless = await answering(
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;");
        const timer = setInterval(() => socket.write("x".repeat(1_000)), 5);
        socket.once("close", () => clearInterval(timer));
      },
      { bodyIdleTimeoutMs: 200 },
    );
    expect(await rejectionOf(endless.mesh.fetch("svc/x").then((response) => response.text()))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
  });

  it("T31: an answer that nobody has asked for is not given to the next call", async () => {
    const { mesh, raw } = await answering((socket, head) => {
      const path = head.split(" ")[1];
      const answer = (text: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
      socket.write(answer(`for ${path}`) + answer("poison"));
    });
    for (let call = 0; call < 20; call++) {
      const text = await mesh.fetch(`svc/${call}`).then(
        (response) => response.text(),
        (error: { code?: string }) => error.code,
      );
      expect([`for /${call}`, "ERR_MESH_PROTOCOL"]).toContain(text);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(raw.sockets.length).toBeGreaterThan(10);
  });

  it("T32: floods of PING, SETTINGS and ORIGIN, windows of nothing and streams that are reset fail their own calls alone", async () => {
    const origins = Buffer.concat([Buffer.from([0, 24]), Buffer.from("https://a.example.test:443".slice(0, 24))]);
    const floods: Record<string, (connection: PeerConnection, streamId: number) => void> = {
      ping: ({ send }) => {
        for (let count = 0; count < 2_000; count++) send(frameType.ping, 0, 0, Buffer.alloc(8));
      },
      settings: ({ send }) => {
        for (let count = 0; count < 500; count++) send(frameType.settings, 0, 0);
      },
      origin: ({ send }) => {
        for (let count = 0; count < 2_000; count++) send(0x0c, 0, 0, origins);
      },
      unknown: ({ send }) => {
        for (let count = 0; count < 2_000; count++) send(0xfe, 0, 0, Buffer.alloc(16));
      },
      reset: ({ resetStream }, streamId) => resetStream(streamId, errorCode.internalError),
      "window update of nothing": ({ send }, streamId) => send(frameType.windowUpdate, 0, streamId, Buffer.alloc(4)),
      "data without a head": ({ data }, streamId) => data(streamId, "evil", true),
      "a stream of its own": ({ head }, streamId) => head(streamId + 1_000, 200, true),
    };
    const honest = await serve((_request, response) => void response.end("honest"));
    for (const [name, flood] of Object.entries(floods)) {
      const peer = await servePeer((connection, streamId) => {
        flood(connection, streamId);
        connection.head(streamId, 200);
        connection.data(streamId, "ok", true);
      });
      const mesh = meshOf({ svc: peer.port }, { retry: false, breaker: false, protocol: "h2", timeoutMs: 5_000 });
      for (let call = 0; call < 3; call++) {
        const outcome = await mesh.fetch("svc/x").then(
          (response) => response.text(),
          (error: { code?: string }) => error.code,
        );
        expect(["ok", "ERR_MESH_PROTOCOL"], name).toContain(outcome);
      }
      expect(await (await meshOf({ svc: honest.port }).fetch("svc/x")).text()).toBe("honest");
    }
  }, 60_000);

  it("T48: an attacker's errors do not multiply the requests: the budget ends the repetitions", async () => {
    const { port, seen } = await serve((_request, response) => {
      response.statusCode = 503;
      response.end();
    });
    const mesh = meshOf({ svc: [port] }, { breaker: false });
    const calls = 300;
    const startedAt = performance.now();
    for (let call = 0; call < calls; call++) await mesh.fetch("svc/x").catch(() => {});
    // A fifth of them, and ten each second, with those of ten seconds at the beginning: three times as many without a budget.
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(seen.length).toBeLessThan(Math.min(calls * 1.2 + 10 * (seconds + 10), calls * 2.9));
  });
});
