import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Agent, fetch as undiciFetch, WebSocket } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { gateway } from "../../src/gateway/gateway.ts";
import { serve } from "../../src/server/server.ts";
import { Authority } from "../support/authority.ts";
import { meshOf } from "../support/mesh.ts";

test("a gateway that leaves under load loses no request: on kept connections, over HTTP/2, a long upload, a WebSocket", async () => {
  const instance = createServer((incoming, response) => {
    let bytes = 0;
    incoming.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
    incoming.on("end", () => setTimeout(() => response.end(String(bytes)), 5));
  });
  const sockets = new WebSocketServer({ server: instance });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(String(data))));
  await new Promise<void>((resolve) => instance.listen(0, "127.0.0.1", resolve));
  const directory = mkdtempSync(join(tmpdir(), "inmesh-gateway-"));
  const authority = await Authority.create("outside");
  const { chain, key } = await authority.issue({ dnsNames: ["localhost"] });
  writeFileSync(join(directory, "crt"), chain);
  writeFileSync(join(directory, "key"), key, { mode: 0o600 });
  const mesh = meshOf({ web: (instance.address() as AddressInfo).port });
  const proxy = gateway(mesh, { service: "web" });
  const plain = await proxy.listen();
  const secure = await proxy.listen({ certificates: [{ cert: join(directory, "crt"), key: join(directory, "key") }] });
  const serving = [plain, secure].map((server) => serve(server, { signals: [], log: false, lameDuckMs: 800, graceMs: 10_000 }));
  await Promise.all(serving.map(({ started }) => started));
  const [port, securePort] = [plain, secure].map((server) => (server.address() as AddressInfo).port);
  onTestFinished(async () => {
    rmSync(directory, { recursive: true });
    await Promise.all(serving.map((each) => each.stop()));
    sockets.close();
    instance.closeAllConnections();
    instance.close();
  });

  const lost: unknown[] = [];
  let answered = 0;
  const agent = new Agent({ connections: 8 });
  // As a load balancer in front, which learns within the lame duck that this gateway leaves.
  let hasLearnt = false;
  const callers = Array.from({ length: 8 }, async () => {
    while (!hasLearnt) {
      try {
        const response = await undiciFetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "12345", dispatcher: agent });
        if ((await response.text()) !== "5") lost.push(response.status);
        answered++;
      } catch (error) {
        lost.push(error);
      }
    }
  });
  const session = connectHttp2(`https://localhost:${securePort}`, { ca: authority.certificate });
  session.on("error", () => {});
  const streams = (async () => {
    while (!session.closed && !session.destroyed) {
      const outcome = await new Promise<string>((resolve) => {
        const stream = session.request({ ":method": "POST", ":path": "/" });
        let text = "";
        stream.on("data", (chunk: Buffer) => (text += chunk));
        stream.on("end", () => resolve(text));
        // A stream that was refused by the last GOAWAY was not processed.
        stream.on("error", (error) => resolve(/REFUSED_STREAM|GOAWAY|destroyed/.test(error.message) ? "5" : error.message));
        stream.end("12345");
      });
      if (outcome !== "5" && outcome !== "") lost.push(outcome);
    }
  })();
  let isStopping = false;
  let uploaded = 0;
  const upload = new Promise<string>((resolve, reject) => {
    const call = request({ port, host: "127.0.0.1", method: "POST", headers: { "transfer-encoding": "chunked" } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    call.on("error", reject);
    void (async () => {
      // It goes on for a while after the gateway has begun to leave.
      for (let more = 20; more > 0; more -= isStopping ? 1 : 0) {
        call.write(Buffer.alloc(1_000));
        uploaded += 1_000;
        await pause(15);
      }
      call.end();
    })();
  });
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`);
  const closed = new Promise<number>((resolve) => webSocket.addEventListener("close", ({ code }) => resolve(code)));
  const echoed = new Promise<string>((resolve, reject) => {
    webSocket.addEventListener("open", () => webSocket.send("hello"));
    webSocket.addEventListener("message", ({ data }) => resolve(String(data)));
    webSocket.addEventListener("error", () => reject(new Error("no WebSocket")));
  });
  expect(await echoed).toBe("hello");
  await expect.poll(() => answered, { timeout: 15_000 }).toBeGreaterThan(50);
  isStopping = true;
  const learning = setTimeout(() => (hasLearnt = true), 300);
  onTestFinished(() => clearTimeout(learning));
  const reports = await Promise.all(serving.map((each) => each.stop()));
  await Promise.all(callers);
  await streams;
  await agent.close();
  expect(await upload).toBe(String(uploaded));
  expect(await closed).toBe(1001);
  expect(lost).toEqual([]);
  expect(reports.map(({ cutOff }) => cutOff)).toEqual([0, 0]);
}, 30_000);
