import { get } from "node:http";
import { type Dispatcher, request as undiciRequest } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Authorize, Mesh } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { serveRaw } from "../support/servers.ts";

type Door = (mesh: Mesh) => Promise<unknown>;

const doors: Readonly<Record<string, Door>> = {
  fetch: async (mesh) => (await mesh.fetch("orders/1?x=2")).text(),
  request: async (mesh) => (await mesh.request("orders/1?x=2")).body.text(),
  dispatcher: async (mesh) => (await undiciRequest("http://orders/1?x=2", { dispatcher: mesh.dispatcher() })).body.text(),
  agent: (mesh) =>
    new Promise((resolve, reject) => {
      const agent = mesh.agent({ keepAlive: false });
      onTestFinished(() => agent.destroy());
      get("http://orders/1?x=2", { agent }, (response) => response.on("error", reject).on("end", resolve).resume()).on("error", reject);
    }),
  upgrade: async (mesh) => {
    const asked: object = { origin: "http://orders", path: "/1?x=2", method: "GET", protocol: "echo" };
    const { socket } = await mesh.dispatcher().upgrade(asked as Parameters<Dispatcher["upgrade"]>[0]);
    socket.destroy();
  },
};

async function meshWith(authorize: Authorize, answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok") {
  let connections = 0;
  const { port } = await serveRaw((socket) => {
    connections++;
    socket.end(answer);
  });
  return { mesh: meshOf({ orders: port }, { authorize, retry: false }), connections: () => connections };
}

describe.each(Object.entries(doors))("by %s", (name, door) => {
  const answer = name === "upgrade" ? "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n" : undefined;

  test("a call that is refused connects nothing", async () => {
    const asked: unknown[] = [];
    const { mesh, connections } = await meshWith(({ service, method, path }) => {
      asked.push([service, method, path]);
      return false;
    }, answer);
    await expect(door(mesh)).rejects.toMatchObject({ code: "ERR_MESH_FORBIDDEN", maybeExecuted: false, attempts: [] });
    expect({ asked, connections: connections() }).toEqual({ asked: [["orders", "GET", "/1?x=2"]], connections: 0 });
  });

  test("one that is let pass is sent", async () => {
    const { mesh, connections } = await meshWith(async () => true, answer);
    await door(mesh);
    expect(connections()).toBe(1);
  });
});

test.each<[kind: string, authorize: Authorize, says: string]>([
  [
    "throws",
    () => {
      throw new Error("planted");
    },
    "authorize threw: planted",
  ],
  ["rejects", () => Promise.reject(new Error("planted")), "authorize threw: planted"],
  ["returns nothing", (() => undefined) as never, "authorize returned neither true nor false"],
  ["returns something that is true for an if", (() => "no") as never, "authorize returned neither true nor false"],
])("a function that %s refuses the call", async (_kind, authorize, says) => {
  const { mesh, connections } = await meshWith(authorize);
  await expect(mesh.fetch("orders/1")).rejects.toThrow(`the call to "orders" was not sent: ${says}`);
  expect(connections()).toBe(0);
});

test("decides on what interceptors have made of the call, once for all attempts", async () => {
  const paths: string[] = [];
  const mesh = meshOf(
    { orders: 1 },
    {
      interceptors: [(next) => (request) => next({ ...request, path: `/v2${request.path}` })],
      authorize: ({ path }) => {
        paths.push(path);
        return true;
      },
      retry: { maxAttempts: 3, baseDelayMs: 1, maxDelayMs: 1 },
    },
  );
  await mesh.fetch("orders/1").catch(() => {});
  expect(paths).toEqual(["/v2/1"]);
});

test("a function that never answers is given up with the deadline of the call", async () => {
  const { mesh } = await meshWith(() => new Promise(() => {}));
  await expect(mesh.fetch("orders/1", { mesh: { timeoutMs: 50 } })).rejects.toMatchObject({
    code: "ERR_MESH_TIMEOUT",
    maybeExecuted: false,
  });
});
