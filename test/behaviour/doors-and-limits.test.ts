import type { Socket } from "node:net";
import { brotliCompressSync, createGzip, gzipSync } from "node:zlib";
import { request as undiciRequest } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Discovery } from "../../src/extend.ts";
import { createMesh, type Mesh, type MeshOptions, staticDiscovery } from "../../src/index.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A way into the mesh: one call that reads its body whole, given up with the signal. */
type Door = (mesh: Mesh, signal?: AbortSignal) => Promise<unknown>;

const url = "http://orders/1";
const doors = {
  fetch: async (mesh, signal) => (await mesh.fetch("orders/1", { ...(signal && { signal }), redirect: "follow" })).text(),
  "fetch, cloned": async (mesh, signal) => {
    const response = await mesh.fetch("orders/1", { ...(signal && { signal }), redirect: "follow" });
    return Promise.all([response.clone().json(), response.text()]);
  },
  request: async (mesh, signal) => (await mesh.request("orders/1", signal ? { signal } : {})).body.text(),
  dispatcher: async (mesh, signal) =>
    (await undiciRequest(url, { dispatcher: mesh.dispatcher(), ...(signal && { signal }) } as never)).body.text(),
  upgrade: (mesh, signal) =>
    mesh.dispatcher().upgrade({ origin: "http://orders", path: "/1", protocol: "echo", ...(signal && { signal }) } as never),
} satisfies Record<string, Door>;
type DoorName = keyof typeof doors;
const doorOf = (name: DoorName): Door => doors[name];
const calls = ["fetch", "fetch, cloned", "request", "dispatcher"] as const;
const all = [...calls, "upgrade"] as const;

type Answer = (socket: Socket, head: string) => void;
const silent: Answer = () => {};
const writes =
  (text: string | Buffer): Answer =>
  (socket) =>
    void socket.write(text);
const stalls = writes("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1");
const whole = (body: string | Buffer, headers = "") =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length}\r\n\r\n`), Buffer.from(body)]);
const events: Answer = (socket) => {
  socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  const timer = setInterval(() => socket.write("1\r\nx\r\n"), 20);
  socket.once("close", () => clearInterval(timer));
};

/** Where a call is when its limit ends it, or its caller. */
interface Situation {
  readonly doors: readonly DoorName[];
  readonly answer?: Answer;
  readonly options?: Partial<MeshOptions>;
  readonly secure?: boolean;
  readonly discovery?: Discovery;
  /** Occupies the one place that there is. */
  readonly isTaken?: boolean;
}

/** The situations in which a limit ends the call, by the limit; with its error code. */
const limits: Readonly<Record<string, Situation & { readonly code: string }>> = {
  "deadline, before the head": { doors: all, answer: silent, options: { timeoutMs: 120 }, code: "ERR_MESH_TIMEOUT" },
  "deadline, in the body": { doors: calls, answer: stalls, options: { timeoutMs: 120 }, code: "ERR_MESH_TIMEOUT" },
  "deadline, in an event stream that was not asked for": {
    doors: ["fetch", "fetch, cloned", "request"],
    answer: events,
    options: { timeoutMs: 120 },
    code: "ERR_MESH_TIMEOUT",
  },
  "deadline, in a queue": {
    doors: calls,
    answer: silent,
    options: { timeoutMs: 120, concurrency: { maxInFlight: 1 } },
    isTaken: true,
    code: "ERR_MESH_TIMEOUT",
  },
  "deadline, waiting for a connection": {
    doors: all,
    answer: silent,
    options: { timeoutMs: 120, connections: { max: 1 } },
    isTaken: true,
    code: "ERR_MESH_TIMEOUT",
  },
  "deadline, while 1xx come": {
    doors: all,
    answer: (socket) => {
      const timer = setInterval(() => socket.write("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    },
    options: { timeoutMs: 120 },
    code: "ERR_MESH_TIMEOUT",
  },
  attempt: { doors: calls, answer: silent, options: { attemptTimeoutMs: 60 }, code: "ERR_MESH_TIMEOUT" },
  connect: { doors: all, answer: silent, secure: true, options: { connections: { connectTimeoutMs: 60 } }, code: "ERR_MESH_CONNECT" },
  idle: { doors: calls, answer: stalls, options: { bodyIdleTimeoutMs: 60, timeoutMs: false }, code: "ERR_MESH_TIMEOUT" },
  "size, told in the head": { doors: calls, answer: writes(whole("1234567890")), options: { maxResponseBytes: 5 }, code: "ERR_MESH_BODY" },
  "size, untold": {
    doors: calls,
    answer: writes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\n1234567890\r\n"),
    options: { maxResponseBytes: 5 },
    code: "ERR_MESH_BODY",
  },
  "size of what is collected": {
    doors: ["fetch", "fetch, cloned", "request"],
    answer: writes(whole("1234567890")),
    options: { maxCollectedBytes: 5 },
    code: "ERR_MESH_BODY",
  },
  "size of what is collected, below the size of a response": {
    doors: ["fetch", "fetch, cloned", "request"],
    answer: writes(whole("1234567890")),
    options: { maxCollectedBytes: 5, maxResponseBytes: 100 },
    code: "ERR_MESH_BODY",
  },
  "decoded size": {
    doors: ["fetch", "fetch, cloned"],
    answer: writes(whole(gzipSync(Buffer.alloc(4 * 2 ** 20)), "content-encoding: gzip\r\n")),
    code: "ERR_MESH_BODY",
  },
  "decoded size, of what is collected": {
    doors: ["fetch", "fetch, cloned"],
    answer: writes(whole(gzipSync("1234567890"), "content-encoding: gzip\r\n")),
    options: { maxCollectedBytes: 5 },
    code: "ERR_MESH_BODY",
  },
  "decoded size, between two codings": {
    doors: ["fetch", "fetch, cloned"],
    // All that the outer coding makes is the comment in the header of the inner one, which never ends.
    answer: writes(
      whole(
        brotliCompressSync(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 3]), Buffer.alloc(16 * 2 ** 20, 97)])),
        "content-encoding: gzip, br\r\n",
      ),
    ),
    code: "ERR_MESH_BODY",
  },
};

const never: Discovery = {
  async *watch(_service, signal) {
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    yield [];
  },
};

/** The moments at which a caller gives up. */
const moments: Readonly<Record<string, Situation>> = {
  "waiting for discovery": { doors: all, discovery: never, options: { discoveryTimeoutMs: 60_000 } },
  "in a queue": { doors: calls, answer: silent, options: { concurrency: { maxInFlight: 1, queueTimeoutMs: 60_000 } }, isTaken: true },
  "waiting for a connection": { doors: all, answer: silent, options: { connections: { max: 1 } }, isTaken: true },
  "in the handshake of TLS": { doors: all, answer: silent, secure: true, options: { connections: { connectTimeoutMs: 60_000 } } },
  "before the head": { doors: all, answer: silent },
  "in the body": { doors: calls, answer: stalls },
  "in an event stream": { doors: calls, answer: events },
  decoding: {
    doors: ["fetch", "fetch, cloned"],
    answer: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n");
      const gzip = createGzip();
      gzip.on("data", (chunk) => socket.write(chunk));
      gzip.write("begun");
      gzip.flush();
    },
  },
  "between redirects": {
    doors: ["fetch"],
    answer: (socket, head) =>
      head.includes(" /1 ") ? writes("HTTP/1.1 302 Found\r\nlocation: /2\r\ncontent-length: 0\r\n\r\n")(socket, head) : undefined,
  },
  "in the pause before a retry": {
    doors: calls,
    answer: writes("HTTP/1.1 503 No\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n"),
    options: { retry: {}, timeoutMs: false },
  },
};

async function meshIn({ answer = silent, options, secure = false, discovery, isTaken = false }: Situation): Promise<Mesh> {
  const { port } = await serveRaw(answer);
  const found = discovery ?? staticDiscovery({ orders: [{ host: "127.0.0.1", port, secure }] });
  const given = { retry: false as const, observers: [], timeoutMs: 60_000, attemptTimeoutMs: false as const, drainTimeoutMs: 0 };
  const mesh = closing(createMesh({ discovery: found, ...given, ...options }));
  if (!isTaken) return mesh;
  // By an upgrade, too, which has connections of its own.
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  for (const door of [doors.fetch, doors.upgrade]) door(mesh, stop.signal).catch(() => {});
  await until("the place is taken", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 2);
  return mesh;
}

/** What becomes of a promise within three seconds, which are many times the limits here. */
const soon = (call: Promise<unknown>): Promise<unknown> => {
  let timer: NodeJS.Timeout;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve("late"), 3_000);
  });
  return Promise.race([rejectionOf(call), late]).finally(() => clearTimeout(timer));
};

const cells = (rows: Readonly<Record<string, Situation>>) =>
  Object.entries(rows).flatMap(([name, situation]) => situation.doors.map((door) => [name, door, situation] as const));

describe("a limit ends a call", () => {
  it.each(cells(limits))("%s, by %s", async (name, door, situation) => {
    const mesh = await meshIn(situation);
    expect(await soon(doorOf(door)(mesh))).toMatchObject({ code: limits[name]?.code });
  });
});

describe("the caller's abort ends a call", () => {
  it.each(cells(moments))("%s, by %s", async (_name, door, situation) => {
    const mesh = await meshIn(situation);
    const stop = new AbortController();
    const call = soon(doorOf(door)(mesh, stop.signal));
    setTimeout(() => stop.abort(new RangeError("enough")), 60);
    expect(await call).toMatchObject({ name: "RangeError", message: "enough" });
    const left = situation.isTaken ? 2 : 0;
    await until("nothing of it is in flight", () => (mesh.explain("orders")?.endpoints ?? []).every(({ inFlight }) => inFlight <= left));
    expect((mesh.explain("orders")?.endpoints ?? []).map(({ failures }) => failures).filter((count) => count > 1)).toEqual([]);
  });
});
