import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh, type MeshOptions, staticDiscovery } from "../../../src/index.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A mesh over a server that answers each request with these bytes and then does something to the connection. */
async function rig(head: string, then: (socket: Socket) => void, options: Partial<MeshOptions> = {}) {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\nhalf of it`, () => then(socket)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const mesh = createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port }] }), drainTimeoutMs: 0, ...options });
  cleanups.push(() => mesh.close());
  return mesh;
}

const reset = (socket: Socket) => setTimeout(() => socket.resetAndDestroy(), 30);
/** No part of this process hears of the reset before the bytes have waited for it. */
const resetUnheard = (socket: Socket) => {
  socket.resetAndDestroy();
  const until = performance.now() + 50;
  while (performance.now() < until);
};
const close = (socket: Socket) => void socket.end();
const read = async (response: Response) => response.text();

describe("a body that is cut off", () => {
  it.each<[string, string]>([
    ["ends with its connection", "connection: close"],
    ["has a length", "content-length: 100"],
    ["is chunked", "transfer-encoding: chunked\r\n\r\nff"],
  ])("by a reset is an error where it %s", async (_what, head) => {
    const mesh = await rig(head, reset);
    for (const reader of [read, async (response: Response) => new Response(response.body).text()]) {
      const response = await mesh.fetch("orders/");
      expect(response.status).toBe(200);
      await expect(reader(response)).rejects.toMatchObject({ code: "ERR_MESH_BODY", maybeExecuted: true });
    }
  });

  it("by a reset that is met together with its last bytes is an error, too", async () => {
    const mesh = await rig("connection: close", resetUnheard);
    await expect(mesh.fetch("orders/").then(read)).rejects.toMatchObject({ code: "ERR_MESH_BODY", maybeExecuted: true });
  });

  it("by an early end cannot be told from a whole one where nothing says how long it is", async () => {
    const mesh = await rig("connection: close", close);
    expect(await (await mesh.fetch("orders/")).text()).toBe("half of it");
  });

  it("and a reset of another connection do not disturb a response that is whole", async () => {
    const whole = await rig("content-length: 10", () => {});
    const cut = await rig("connection: close", reset);
    const outcomes = await Promise.allSettled([whole.fetch("orders/").then(read), cut.fetch("orders/").then(read)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });
});

describe("requireDelimitedBody", () => {
  it("refuses a body that ends with its connection, and says why", async () => {
    const mesh = await rig("connection: close", close, { requireDelimitedBody: true });
    await expect(mesh.fetch("orders/")).rejects.toMatchObject({
      code: "ERR_MESH_BODY",
      maybeExecuted: true,
      message: expect.stringContaining("(requireDelimitedBody)"),
    });
    expect(mesh.explain("orders")?.breaker).toBe("closed");
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ state: "available", inFlight: 0 });
  });

  it.each(["content-length: 10", "transfer-encoding: chunked\r\n\r\nc"])("takes one with %j", async (head) => {
    const mesh = await rig(head, (socket) => void (head.includes("chunked") && socket.write("\r\n0\r\n\r\n")), {
      requireDelimitedBody: true,
    });
    expect(await (await mesh.fetch("orders/")).text()).toMatch(/half of it/);
  });

  it("takes an answer to HEAD", async () => {
    const mesh = await rig("connection: close", close, { requireDelimitedBody: true });
    expect((await mesh.fetch("orders/", { method: "HEAD" })).status).toBe(200);
  });
});
