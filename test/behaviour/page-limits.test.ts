import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Admin, admin } from "../../src/admin/admin.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { until } from "../support/until.ts";

/** The connections that the page takes at a time. */
const most = 64;
const token = "a-token-of-the-page";

/** A client that holds its connection, and does not read. */
type Client = (socket: Socket, host: string) => void;

/** Writes again and again while the connection is there. */
function endless(socket: Socket, text: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.once("close", () => clearInterval(timer));
}

const change = (host: string) =>
  [
    "POST /api/services/orders/eject HTTP/1.1",
    `host: ${host}`,
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    "transfer-encoding: chunked",
    "",
    "",
  ].join("\r\n");

const clients: Readonly<Record<string, Client>> = {
  "no request": () => {},
  "half a request": (socket) => void socket.write("GET / HTTP/1.1\r\nhost: a"),
  "a head byte by byte": (socket) => {
    socket.write("GET / HTTP/1.1\r\nx: ");
    endless(socket, "x", 100);
  },
  "a change without its body": (socket, host) => void socket.write(change(host)),
  "a change whose body comes byte by byte": (socket, host) => {
    socket.write(change(host));
    endless(socket, "1\r\n \r\n", 100);
  },
  "a GET with a body without end": (socket, host) => {
    socket.write(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\ntransfer-encoding: chunked\r\n\r\n`);
    endless(socket, "1\r\n \r\n", 100);
  },
  "many requests, whose answers are not read": (socket, host) => {
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(40));
  },
  "an event stream that is not read": (socket, host) => {
    socket.pause();
    socket.write(`GET /api/events HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  },
};

async function page(): Promise<Admin & { readonly host: string }> {
  const mesh = createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: 1 }] }), observers: [] });
  const served = await admin(mesh, { port: 0, token });
  onTestFinished(async () => {
    await served.close();
    await mesh.close();
  });
  return Object.assign(served, { host: new URL(served.url).host });
}

async function connected(host: string, client: Client): Promise<Socket> {
  const socket = connect(Number(host.split(":")[1]), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  client(socket, host);
  return socket;
}

const isServed = (url: string) =>
  fetch(`${url}healthz`, { headers: { connection: "close" } }).then(
    ({ ok }) => ok,
    () => false,
  );

describe("the page", () => {
  it.each(Object.entries(clients).filter(([name]) => !name.includes("event stream")))(
    "is there for others, soon, when clients with %s have every connection",
    async (_name, client) => {
      const { url, host } = await page();
      await Promise.all(Array.from({ length: most }, () => connected(host, client)));
      await until("another one is served", () => isServed(url), 4_000);
    },
  );

  it.each(Object.entries(clients))("closes at once though a client has sent %s", async (_name, client) => {
    const served = await page();
    const socket = await connected(served.host, client);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startedAt = performance.now();
    await served.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    socket.resume();
    await until("the connection is closed", () => socket.closed);
  });

  it("closes a connection whose change is larger than any, before that has come", async () => {
    const { host } = await page();
    const socket = await connected(host, (sender) => {
      sender.write(change(host));
      endless(sender, `4000\r\n${" ".repeat(0x4000)}\r\n`, 5);
    });
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    await until("the connection is closed", () => socket.closed);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toMatch(/longer than 4096 bytes/);
  });
});
