import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Discovery, Registrar } from "../../src/extend.ts";
import { createMesh, dns } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A server that answers badly, and the connections to it that are open. */
interface BadServer {
  readonly port: number;
  readonly asked: () => number;
  readonly open: () => number;
}

/** How long a test waits in vain; the limits here are a fraction of it. */
const lateMs = 4_000;
const timeoutMs = 150;
const maxBodyBytes = 200_000;

/** Writes again and again until the other side has gone. */
function endless(socket: Socket, text: string | Buffer, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.once("close", () => clearInterval(timer));
}

const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-consul-index: 1\r\ntransfer-encoding: chunked\r\n\r\n";
const chunk = (size: number) => `${size.toString(16)}\r\n${" ".repeat(size)}\r\n`;

const overHttp: Readonly<Record<string, (socket: Socket) => void>> = {
  "never answers": () => {},
  "sends a head and then nothing": (socket) => void socket.write(head),
  "sends a head byte by byte": (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nx: ");
    endless(socket, "x", 20);
  },
  "sends a body byte by byte": (socket) => {
    socket.write(head);
    endless(socket, chunk(1), 20);
  },
  "sends one 1xx after the other": (socket) => endless(socket, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", 20),
  "sends a body without end": (socket) => {
    socket.write(head);
    endless(socket, chunk(50_000), 5);
  },
  "sends a body that is less than it says": (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[]"),
  "sends an error with a body without end": (socket) => {
    socket.write(head.replace("200 OK", "500 No"));
    endless(socket, chunk(50_000), 5);
  },
  "sends a little that decodes to a lot": (socket) => {
    const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, 32));
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.byteLength}\r\n\r\n`);
    socket.write(bomb);
  },
};

async function httpServer(answer: (socket: Socket) => void): Promise<BadServer> {
  const { port, sockets } = await serveRaw(answer);
  return { port, asked: () => sockets.length, open: () => sockets.filter(({ destroyed }) => !destroyed).length };
}

type Registry = Discovery & Partial<Registrar>;
const vendors = {
  consul: (port: number, limitMs: number): Registry =>
    consul({ url: `http://127.0.0.1:${port}`, requestTimeoutMs: limitMs, maxBodyBytes, registerTimeoutMs: limitMs }),
  eureka: (port: number, limitMs: number): Registry =>
    eureka({ servers: [`http://127.0.0.1:${port}/eureka`], requestTimeoutMs: limitMs, maxBodyBytes, registerTimeoutMs: limitMs }),
};

/** What a registry is asked for. */
const questions: Readonly<Record<string, (registry: Registry, signal: AbortSignal) => Promise<unknown>>> = {
  "the endpoints": (registry, signal) => registry.watch("orders", signal)[Symbol.asyncIterator]().next(),
  "the catalogue": async (registry, signal) => registry.services?.(signal),
  "a registration": async (registry, signal) => registry.register?.({ service: "orders", host: "127.0.0.1", port: 4_001 }, signal),
};

const cells = Object.keys(vendors).flatMap((vendor) =>
  Object.keys(overHttp).flatMap((fault) => Object.keys(questions).map((question) => [vendor, fault, question] as const)),
);

/** A promise's error, or `"late"`. */
async function soon(promise: Promise<unknown>): Promise<unknown> {
  const late = new Promise((resolve) => setTimeout(resolve, lateMs, "late").unref());
  return Promise.race([rejectionOf(promise), late]);
}

describe("a registry's client", () => {
  it.each(cells)("of %s that %s: a question for %s ends in time", async (vendor, fault, question) => {
    const server = await httpServer(overHttp[fault] as never);
    const registry = vendors[vendor as keyof typeof vendors](server.port, timeoutMs);
    onTestFinished(async () => registry.close?.());
    const end = await soon(questions[question]?.(registry, new AbortController().signal) as Promise<unknown>);
    expect(end).toBeInstanceOf(Error);
    await until("its connections are closed", () => server.open() === 0 && server.asked() > 0);
  });

  it.each(cells)("of %s that %s: a question for %s ends with its signal, at once", async (vendor, fault, question) => {
    if (/without end|to a lot/.test(fault)) return;
    const server = await httpServer(overHttp[fault] as never);
    const registry = vendors[vendor as keyof typeof vendors](server.port, 60_000);
    onTestFinished(async () => registry.close?.());
    const stop = new AbortController();
    const asking = questions[question]?.(registry, stop.signal) as Promise<unknown>;
    // A watch ends without an error.
    const end = soon(asking.then(() => Promise.reject(new RangeError("enough"))));
    await until("it was asked", () => server.asked() === 1);
    setTimeout(() => stop.abort(new RangeError("enough")), 40);
    expect(await end).toMatchObject({ message: "enough" });
    // What may have been registered is withdrawn, which has a limit of its own.
    const withdrawals = question === "a registration" ? 1 : 0;
    await until("its connection is closed", () => server.open() <= withdrawals);
  });

  it.each(Object.keys(vendors).flatMap((vendor) => Object.keys(overHttp).map((fault) => [vendor, fault] as const)))(
    "of %s that %s lets go of everything when the mesh closes",
    async (vendor, fault) => {
      const server = await httpServer(overHttp[fault] as never);
      const mesh = createMesh({
        discovery: vendors[vendor as keyof typeof vendors](server.port, 60_000),
        observers: [],
        drainTimeoutMs: 0,
      });
      const call = soon(mesh.fetch("orders/", { mesh: { timeoutMs: 60_000 } }));
      await until("it was asked", () => server.asked() >= 1);
      await new Promise((resolve) => setTimeout(resolve, 40));
      expect(await soon(mesh.close().then(() => Promise.reject(new Error("closed"))))).toMatchObject({ message: "closed" });
      expect(await call).toBeInstanceOf(Error);
      await until("its connection is closed", () => server.open() === 0);
    },
  );
});

/** The first bytes of an answer by TCP, whose length says that more comes. */
const dnsFaults: Readonly<Record<string, ((socket: Socket) => void) | "udp">> = {
  "never answers, by UDP": "udp",
  "never answers, by TCP": () => {},
  "sends a length and then nothing": (socket) => void socket.write(Buffer.from([0xff, 0xff])),
  "sends an answer byte by byte": (socket) => {
    socket.write(Buffer.from([0xff, 0xff]));
    endless(socket, Buffer.from([0]), 20);
  },
  "sends bytes without end": (socket) => endless(socket, Buffer.alloc(50_000), 5),
};

async function dnsServer(fault: ((socket: Socket) => void) | "udp"): Promise<BadServer> {
  if (fault === "udp") {
    const socket = createSocket("udp4");
    let asked = 0;
    socket.on("message", () => asked++);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    onTestFinished(() => void socket.close());
    return { port: socket.address().port, asked: () => asked, open: () => 0 };
  }
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {}).once("data", () => fault(socket));
  });
  return {
    port: await listening(server),
    asked: () => sockets.length,
    open: () => sockets.filter(({ destroyed }) => !destroyed).length,
  };
}

const dnsOf = (port: number, fault: string, limitMs: number) =>
  dns({
    port: 80,
    name: "{service}.test",
    servers: [`127.0.0.1:${port}`],
    timeoutMs: limitMs,
    maxAttempts: 2,
    transport: fault.endsWith("UDP") ? "auto" : "tcp",
  });

describe("the client of DNS", () => {
  it.each(Object.entries(dnsFaults))("whose server %s: a question ends in time", async (name, fault) => {
    const server = await dnsServer(fault);
    const end = await soon(
      dnsOf(server.port, name, timeoutMs).watch("orders", new AbortController().signal)[Symbol.asyncIterator]().next(),
    );
    expect(end).toBeInstanceOf(Error);
    await until("its connections are closed", () => server.open() === 0 && server.asked() > 0);
  });

  it.each(Object.entries(dnsFaults))("whose server %s lets go of everything when the mesh closes", async (name, fault) => {
    const server = await dnsServer(fault);
    const mesh = createMesh({ discovery: dnsOf(server.port, name, 60_000), observers: [], drainTimeoutMs: 0 });
    const call = soon(mesh.fetch("orders/", { mesh: { timeoutMs: 60_000 } }));
    await until("it was asked", () => server.asked() >= 1);
    expect(await soon(mesh.close().then(() => Promise.reject(new Error("closed"))))).toMatchObject({ message: "closed" });
    expect(await call).toBeInstanceOf(Error);
    await until("its connections are closed", () => server.open() === 0);
  });
});
