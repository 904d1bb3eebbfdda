import { get } from "node:http";
import type { Socket } from "node:net";
import { type Dispatcher, request as undiciRequest } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Mesh } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { closedPort, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A way into the mesh: makes one call and waits for its end, whatever that is. */
type Door = (mesh: Mesh) => Promise<unknown>;

const url = "http://orders/1";

const doors: Readonly<Record<string, Door>> = {
  fetch: async (mesh) => (await mesh.fetch("orders/1")).text(),
  request: async (mesh) => (await mesh.request("orders/1")).body.text(),
  dispatcher: async (mesh) => (await undiciRequest(url, { dispatcher: mesh.dispatcher() })).body.text(),
  agent: (mesh) =>
    new Promise((resolve, reject) => {
      const agent = mesh.agent({ keepAlive: false });
      onTestFinished(() => agent.destroy());
      get(url, { agent }, (response) => response.on("error", reject).on("end", resolve).resume()).on("error", reject);
    }),
};

const upgrade: Door = async (mesh) => {
  const asked: object = { origin: "http://orders", path: "/1", method: "GET", protocol: "echo" };
  const { socket } = await mesh.dispatcher().upgrade(asked as Parameters<Dispatcher["upgrade"]>[0]);
  socket.destroy();
};

/** The answer of an instance to a request, and the statistics that it makes. */
interface Ending {
  readonly answer: ((socket: Socket) => void) | undefined;
  readonly failures: number;
  readonly hasLatency: boolean;
}

const soon = (act: () => void) => setTimeout(act, 5);

function answering(text: string, failures: number): Ending {
  return { answer: (socket) => soon(() => socket.end(text)), failures, hasLatency: true };
}

const endings: Readonly<Record<string, Ending>> = {
  "answers 200": answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 0),
  "answers 429": answering("HTTP/1.1 429 No\r\ncontent-length: 2\r\n\r\nno", 0),
  "answers 500": answering("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno", 1),
  "answers 501": answering("HTTP/1.1 501 No\r\ncontent-length: 2\r\n\r\nno", 1),
  "answers 503": answering("HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno", 1),
  "answers 599": answering("HTTP/1.1 599 No\r\ncontent-length: 2\r\n\r\nno", 1),
  "answers 500 and cuts the body off": answering("HTTP/1.1 500 No\r\ncontent-length: 200\r\n\r\nno", 1),
  "ends the connection before the head": { answer: (socket) => soon(() => socket.end()), failures: 1, hasLatency: false },
  "cuts the body off": {
    answer: (socket) => {
      soon(() => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 200\r\n\r\nno"));
      setTimeout(() => socket.destroy(), 50);
    },
    failures: 1,
    hasLatency: true,
  },
  "refuses the connection": { answer: undefined, failures: 1, hasLatency: false },
};

const breakers = [
  ["breakers", {}],
  ["breaker: false", false],
] as const;

/** The statistics of the one instance in `mesh.explain`, after one call through `door`. */
async function booksAfter(door: Door, answer: Ending["answer"], breaker: false | object) {
  const port = answer === undefined ? await closedPort() : (await serveRaw(answer)).port;
  const mesh = meshOf({ orders: port }, { breaker, retry: false, observers: [] });
  await door(mesh).catch(() => {});
  const books = () => mesh.explain("orders")?.endpoints[0];
  await until("the attempt has ended", () => books()?.inFlight === 0);
  const { attempts: requests, failures, latencyMs = 0 } = books() ?? {};
  return { attempts: requests, failures, hasLatency: latencyMs > 0 };
}

describe.each(breakers)("with %s the books of an attempt are the same by every door", (_what, breaker) => {
  describe.each(Object.entries(endings))("where the instance %s", (_ending, { answer, failures, hasLatency }) => {
    it.each(Object.entries(doors))("%s", async (_door, door) => {
      expect(await booksAfter(door, answer, breaker)).toEqual({ attempts: 1, failures, hasLatency });
    });
  });

  it.each([
    ["changes the protocol", "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n", 0, true],
    ["answers 500", "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", 1, true],
    ["answers 503", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", 1, true],
    ["breaks the connection", "", 1, false],
  ] as const)("an upgrade that the instance %s", async (_what, head, failures, hasLatency) => {
    const answer = (socket: Socket) => void soon(() => (head === "" ? socket.destroy() : socket.write(head)));
    expect(await booksAfter(upgrade, answer, breaker)).toEqual({ attempts: 1, failures, hasLatency });
  });

  it("an upgrade that the instance refuses a connection for", async () => {
    expect(await booksAfter(upgrade, undefined, breaker)).toEqual({ attempts: 1, failures: 1, hasLatency: false });
  });

  it.each(Object.entries({ ...doors, upgrade }))("an attempt by %s is in flight until its end", async (_door, door) => {
    let release: () => void = () => {};
    const server = await serveRaw((socket) => {
      release = () => socket.destroy();
    });
    const mesh = meshOf({ orders: server.port }, { breaker, retry: false, observers: [] });
    const inFlight = () => mesh.explain("orders")?.endpoints[0]?.inFlight;
    const call = door(mesh).catch(() => {});
    await until("the request has come", () => (server.received[0] ?? "") !== "");
    expect(inFlight()).toBe(1);
    release();
    await call;
    await until("the attempt has ended", () => inFlight() === 0);
  });
});
