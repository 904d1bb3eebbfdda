import { once } from "node:events";
import { createServer, get } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { limitConnections } from "../../src/admin/connection-limit.ts";
import { until } from "../support/until.ts";

/** More than the buffers of a connection hold. */
const large = Buffer.alloc(32 * 2 ** 20);

async function serverOf(most: number) {
  const server = createServer((request, response) => {
    if (request.url === "/slow") response.write("begun");
    else if (request.url === "/large") response.end(large);
    else if (request.method === "POST") request.resume().on("end", () => response.end("ok"));
    else response.end("ok");
  });
  limitConnections(server, most);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async opened(text: string): Promise<Socket> {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, "connect");
      socket.write(text);
      return socket;
    },
    status: () =>
      new Promise((resolve) =>
        get({ host: "127.0.0.1", port, agent: false }, (response) => resolve(response.resume().statusCode)).on("error", () => resolve(0)),
      ),
  };
}

describe("limitConnections", () => {
  it("makes room where half requests hold every connection, long before they time out", async () => {
    const { opened, status } = await serverOf(4);
    const halves = await Promise.all(Array.from({ length: 4 }, () => opened("GET / HT")));
    await until("the page is there again", async () => (await status()) === 200, 10_000);
    expect(halves.some(({ destroyed, readableEnded }) => destroyed || readableEnded)).toBe(true);
  });

  it.each([
    ["read no answer", "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["send no body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"],
  ])("makes room where clients that %s hold every connection", async (_what, text) => {
    const { opened, status } = await serverOf(4);
    const held = await Promise.all(Array.from({ length: 4 }, () => opened(text)));
    for (const socket of held) socket.pause();
    await until("the page is there again", async () => (await status()) === 200, 10_000);
  });

  it("leaves connections alone that have a request", async () => {
    const { opened, status } = await serverOf(2);
    const slow = await Promise.all([opened("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"), opened("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")]);
    let closed = 0;
    for (const socket of slow) socket.on("data", () => {}).on("close", () => closed++);
    const end = Date.now() + 1_500;
    await until("a second has passed", async () => (await status()) === 0 && Date.now() > end, 10_000);
    expect(closed).toBe(0);
  });
});
