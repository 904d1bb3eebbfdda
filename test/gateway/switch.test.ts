import { createHash } from "node:crypto";
import { createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { exchange, gatewayTo } from "../support/gateway.ts";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** An instance that changes to a protocol which sends back each byte, or answers with a status. */
async function echoing(status = 101): Promise<{ readonly port: number; readonly sockets: Socket[]; readonly seen: string[] }> {
  const sockets: Socket[] = [];
  const seen: string[] = [];
  const server = createServer((_request, response) => response.end());
  server.on("upgrade", (incoming, socket: Socket, head) => {
    sockets.push(socket);
    seen.push(`${incoming.url} ${incoming.headers["x-forwarded-for"]} ${incoming.headers["sec-websocket-protocol"]}`);
    socket.on("error", () => {});
    if (status !== 101) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const accept = createHash("sha1").update(`${incoming.headers["sec-websocket-key"]}${guid}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\nhello `,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets, seen };
}

const ask =
  "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: chat\r\nsec-websocket-version: 13\r\n\r\n";

describe("a WebSocket through a gateway", () => {
  test("is opened, and passes bytes both ways, those that came with the handshake included", async () => {
    const instance = await echoing();
    const { port } = await gatewayTo(instance.port);
    const answer = await exchange(port, `${ask}early`, 500);
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(answer.endsWith("hello early")).toBe(true);
    expect(instance.seen).toEqual(["/chat 127.0.0.1 chat"]);
  });

  test("ends at the instance when the client goes away, and at the client when the instance does", async () => {
    const instance = await echoing();
    const { port } = await gatewayTo(instance.port);
    const open = () =>
      new Promise<Socket>((resolve, reject) => {
        const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-key": "x", "sec-websocket-version": "13" };
        const call = request({ port, host: "127.0.0.1", headers });
        call.on("upgrade", (_response, socket: Socket) => resolve(socket.on("error", () => {})));
        call.on("error", reject);
        call.end();
      });
    (await open()).destroy();
    await expect.poll(() => instance.sockets[0]?.destroyed).toBe(true);
    const second = await open();
    instance.sockets[1]?.destroy();
    await expect.poll(() => second.destroyed).toBe(true);
  });

  test("is refused with the status of the instance, or 502, without names", async () => {
    const refusing = await echoing(403);
    const { port } = await gatewayTo(refusing.port);
    expect(await exchange(port, ask)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    const { port: toNothing } = await gatewayTo([], {}, { discoveryTimeoutMs: 50 });
    const answer = await exchange(toNothing, ask, 1_000);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).not.toContain("web");
  });

  test("goes where a rule leads it, with the path that the rule makes, and gets what a rule answers by itself", async () => {
    const instance = await echoing();
    const routes = [
      { match: { path: { prefix: "/chat" } }, to: "web", rewrite: { prefix: "/ws" } },
      { match: { path: { exact: "/old" } }, redirect: { path: "/chat" } },
      { match: { path: { exact: "/teapot" } }, respond: { status: 418, body: "short and stout" } },
      { respond: { status: 410 } },
    ];
    const { port } = await gatewayTo(instance.port, { service: "no-such-service" }, { routes });
    expect(await exchange(port, ask)).toMatch(/^HTTP\/1\.1 101 /);
    expect(instance.seen).toEqual(["/ws 127.0.0.1 chat"]);
    const moved = await exchange(port, ask.replace("/chat", "/old"));
    expect(moved).toMatch(/^HTTP\/1\.1 301 /);
    expect(moved).toMatch(/^location: .*\/chat\r$/m);
    expect(await exchange(port, ask.replace("/chat", "/other"))).toMatch(/^HTTP\/1\.1 410 /);
    const told = await exchange(port, ask.replace("/chat", "/teapot"));
    expect(told).toMatch(/^HTTP\/1\.1 418 /);
    expect(told).toMatch(/^content-length: 15\r$/m);
    expect(told).toMatch(/\r\n\r\nshort and stout$/);
  });
});
