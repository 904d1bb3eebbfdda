import { get } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { request as undiciRequest } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Mesh, MeshOptions } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { serveRaw } from "../support/servers.ts";

type Door = (mesh: Mesh, method: "GET" | "POST") => Promise<string>;

const bodyOf = (method: string) => (method === "POST" ? { body: "{}" } : {});
const doors = {
  fetch: async (mesh, method) => (await mesh.fetch("orders/1", { method, ...bodyOf(method) })).text(),
  request: async (mesh, method) => (await mesh.request("orders/1", { method, ...bodyOf(method) })).body.text(),
  dispatcher: async (mesh, method) =>
    (await undiciRequest("http://orders/1", { dispatcher: mesh.dispatcher(), method, ...bodyOf(method) } as never)).body.text(),
} satisfies Record<string, Door>;
const agent: Door = (mesh) =>
  new Promise((resolve, reject) => {
    get("http://orders/1", { agent: mesh.agent() }, (response) => resolve(text(response))).on("error", reject);
  });

/** What comes before the response. */
const informational = {
  "a 100": [100],
  "a 100 with fields": [100],
  "three times 100": [100, 100, 100],
  "a 102": [102],
  "a 103": [103],
  "100, 102, 103 and 100": [100, 102, 103, 100],
  "a 199, which has no meaning": [199],
} satisfies Record<string, readonly number[]>;
const names = Object.keys(informational) as (keyof typeof informational)[];
const fieldsOf = (name: string) => (name.endsWith("fields") ? "server: old\r\ncontent-length: 0\r\n" : "");

/** Answers each request on a connection of HTTP/1.1, in as many writes as there are parts. */
const http1 = (parts: Iterable<string>) =>
  serveRaw((socket) => {
    for (const part of parts) socket.write(part);
  });

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

async function http2(statuses: readonly number[]) {
  const server = createHttp2Server();
  let sessions = 0;
  server.on("session", () => sessions++);
  server.on("stream", (stream: ServerHttp2Stream) => {
    for (const status of statuses) stream.additionalHeaders({ ":status": status });
    stream.respond({ ":status": 200 });
    stream.end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sessions: () => sessions };
}

const options: Partial<MeshOptions> = { retry: false, breaker: false, connections: { max: 1 } };

describe("an informational response that was not asked for", () => {
  describe.each(names)("%s", (name) => {
    const heads = informational[name].map((status) => `HTTP/1.1 ${status} Said\r\n${fieldsOf(name)}\r\n`);
    const writes = { "in one piece": [[...heads, ok].join("")], "each by itself": [...heads, ok], "byte by byte": [...heads, ok].join("") };

    test.each(Object.keys(doors) as (keyof typeof doors)[])("is passed over by %s, and the connection is kept", async (door) => {
      for (const parts of Object.values(writes)) {
        const server = await http1(parts);
        const mesh = meshOf({ orders: server.port }, options);
        for (let call = 0; call < 3; call++) expect(await doors[door](mesh, "GET")).toBe("ok");
        expect(await doors[door](mesh, "POST")).toBe("ok");
        expect(server.sockets.length).toBe(1);
        expect(mesh.explain("orders")?.endpoints).toMatchObject([{ failures: 0 }]);
      }
    });

    test("is passed over by an agent", async () => {
      const server = await http1(writes["in one piece"]);
      expect(await agent(meshOf({ orders: server.port }, options), "GET")).toBe("ok");
    });

    test.each(["h1", "h2"] as const)("is passed over by a health check over %s", async (protocol) => {
      const { port } = protocol === "h2" ? await http2(informational[name]) : await http1(writes["each by itself"]);
      const mesh = meshOf({ orders: port }, { ...options, protocol, healthCheck: { type: "http", path: "/health" } });
      await mesh.warm("orders");
      await expect.poll(() => mesh.explain("orders")?.endpoints[0]?.healthCheck).toMatchObject({ passed: true });
    });

    test("is passed over by an upgrade", async () => {
      const server = await serveRaw((socket) =>
        socket.write(`${heads.join("")}HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello`),
      );
      const mesh = meshOf({ orders: server.port }, options);
      const { socket } = await mesh.dispatcher().upgrade({ origin: "http://orders", path: "/1", protocol: "echo" } as never);
      const [first] = await new Promise<unknown[]>((resolve) => socket.once("data", (...data: unknown[]) => resolve(data)));
      expect(String(first)).toBe("hello");
      socket.destroy();
    });

    test.each(Object.keys(doors) as (keyof typeof doors)[])("is passed over by %s on HTTP/2", async (door) => {
      const server = await http2(informational[name]);
      const mesh = meshOf({ orders: server.port }, { ...options, protocol: "h2" });
      for (const method of ["GET", "POST", "GET"] as const) expect(await doors[door](mesh, method)).toBe("ok");
      expect(server.sessions()).toBe(1);
    });
  });

  test.each(["h1", "h2"] as const)("is told to the handler of a dispatcher over %s, but for a 100", async (protocol) => {
    const statuses = [100, 103];
    const { port } =
      protocol === "h2"
        ? await http2(statuses)
        : await http1([`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}`]);
    const mesh = meshOf({ orders: port }, { ...options, protocol });
    const told: number[] = [];
    const answered = undiciRequest("http://orders/1", {
      dispatcher: mesh.dispatcher(),
      onInfo: ({ statusCode }: { statusCode: number }) => told.push(statusCode),
    } as never);
    expect(await (await answered).body.text()).toBe("ok");
    expect(told).toEqual([103]);
  });

  test("after the response ends the connection: it belongs to no request", async () => {
    const server = await http1([`${ok}HTTP/1.1 100 Continue\r\n\r\n`]);
    const mesh = meshOf({ orders: server.port }, options);
    for (let call = 0; call < 3; call++) expect(await (await mesh.fetch("orders/1")).text()).toBe("ok");
    expect(server.sockets.length).toBe(3);
  });
});
