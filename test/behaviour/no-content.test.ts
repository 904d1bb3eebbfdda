import { get } from "node:http";
import { request as undiciRequest } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Mesh } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { serveRaw } from "../support/servers.ts";
import { servePeer } from "./http2-peer.ts";

type Door = (mesh: Mesh, method: "GET" | "HEAD") => Promise<readonly [status: number, text: string]>;

const doors: Readonly<Record<string, Door>> = {
  fetch: async (mesh, method) => {
    const response = await mesh.fetch("orders/1", { method });
    return [response.status, await response.text()];
  },
  request: async (mesh, method) => {
    const { statusCode, body } = await mesh.request("orders/1", { method });
    return [statusCode, await body.text()];
  },
  dispatcher: async (mesh, method) => {
    const { statusCode, body } = await undiciRequest("http://orders/1", { method, dispatcher: mesh.dispatcher() });
    return [statusCode, await body.text()];
  },
  agent: (mesh, method) =>
    new Promise((resolve, reject) => {
      const agent = mesh.agent({ keepAlive: true });
      onTestFinished(() => agent.destroy());
      const answered = (response: import("node:http").IncomingMessage) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("error", reject).on("end", () => resolve([response.statusCode as number, text]));
      };
      get("http://orders/1", { agent, method }, answered).on("error", reject);
    }),
};

const messages = [
  ["HEAD", 200],
  ["GET", 304],
  ["GET", 204],
] as const;

/** An instance that tells a length with every answer, and sends no content. */
const instances = {
  h1: async (status: number) => {
    const server = await serveRaw((socket) =>
      socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: 1234\r\ncontent-encoding: gzip\r\n\r\n`),
    );
    return { port: server.port, connections: () => server.sockets.length };
  },
  h2: async (status: number) => {
    const peer = await servePeer((connection, streamId) => connection.head(streamId, status, true, 1234));
    return { port: peer.port, connections: () => peer.connections.length };
  },
} as const;

const ways = Object.entries(doors).flatMap(([door, call]) =>
  (["h1", "h2"] as const)
    // An agent of node:http speaks HTTP/1.1.
    .filter((protocol) => door !== "agent" || protocol === "h1")
    .flatMap((protocol) => messages.map(([method, status]) => ({ door, call, protocol, method, status })))
    // nghttp2 takes a 204 with a length for malformed, as RFC 9113 §8.1.1 has it.
    .filter(({ protocol, status }) => protocol === "h1" || status !== 204),
);

describe("a message that has no content, whatever length its head tells", () => {
  it.each(ways)("is whole: $status to $method over $protocol by $door", async ({ call, protocol, method, status }) => {
    const { port, connections } = await instances[protocol](status);
    const errors: unknown[] = [];
    const mesh = meshOf(
      { orders: port },
      {
        protocol,
        retry: false,
        maxResponseBytes: 1_000,
        requireDelimitedBody: true,
        observers: [{ onCall: () => ({ onEnd: ({ error }) => void (error !== undefined && errors.push(error)) }) }],
      },
    );
    for (let index = 0; index < 6; index++) expect(await call(mesh, method)).toEqual([status, ""]);
    expect(errors).toEqual([]);
    expect(mesh.explain("orders")?.endpoints).toMatchObject([{ failures: 0, state: "available", inFlight: 0 }]);
    // undici closes its connection after each HEAD, since some servers send content then.
    if (method === "GET" && call !== doors["agent"]) expect(connections()).toBeLessThan(4);
  });
});
