import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { Mesh, MeshOptions } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const heads = {
  "a retry": "HTTP/1.1 503 No\r\n",
  "a redirect": "HTTP/1.1 307 There\r\nlocation: /there\r\n",
};
const stalled = "content-length: 10\r\n\r\nab";

/** The first answer of each connection is dropped; all that follow are fine. */
async function instance(head: string, rest: (socket: Socket) => void) {
  let dropped = 0;
  const raw = await serveRaw((socket, request) => {
    if (dropped < limit && !request.includes("/there")) {
      dropped++;
      socket.write(head);
      rest(socket);
    } else socket.write(ok);
  });
  let limit = 1;
  return {
    ...raw,
    /** Answers so many requests with what is dropped. */
    drop: (count: number) => {
      limit = count;
    },
    open: () => raw.sockets.filter(({ destroyed }) => !destroyed).length,
  };
}

const options: Partial<MeshOptions> = {
  observers: [],
  breaker: false,
  timeoutMs: 60_000,
  bodyIdleTimeoutMs: false,
  attemptTimeoutMs: false,
};
const inFlight = (mesh: Mesh) => mesh.explain("orders")?.endpoints[0]?.inFlight;
const text = async (mesh: Mesh) => (await mesh.fetch("orders/", { redirect: "follow" })).text();

describe.each(Object.entries(heads))("an answer that %s drops", (_name, head) => {
  it("and whose rest never comes is cancelled soon: the one connection is free again", async () => {
    const server = await instance(head, (socket) => void socket.write(stalled));
    const mesh = meshOf({ orders: server.port }, { ...options, connections: { max: 1 } });
    expect(await text(mesh)).toBe("ok");
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(server.sockets).toHaveLength(2);
    await until("its connection is closed", () => server.open() === 1);
  });

  it("and whose rest comes at once keeps its connection", async () => {
    const server = await instance(head, (socket) => void socket.write("content-length: 4\r\n\r\ndone"));
    const mesh = meshOf({ orders: server.port }, { ...options, connections: { max: 1 } });
    expect(await text(mesh)).toBe("ok");
    expect(server.sockets).toHaveLength(1);
  });

  it("and that has no end is cancelled after some bytes", async () => {
    let written = 0;
    const server = await instance(head, (socket) => {
      socket.write("transfer-encoding: chunked\r\n\r\n");
      const timer = setInterval(() => {
        if (socket.writableNeedDrain) return;
        socket.write(`4000\r\n${"x".repeat(0x4000)}\r\n`);
        written += 0x4000;
      }, 1);
      socket.once("close", () => clearInterval(timer));
    });
    const mesh = meshOf({ orders: server.port }, { ...options, connections: { max: 1 } });
    expect(await text(mesh)).toBe("ok");
    await until("its connection is closed", () => server.open() === 1);
    expect(written).toBeLessThan(8 * 2 ** 20);
  });

  it("holds no place under a limit, however many there are", async () => {
    const server = await instance(head, (socket) => void socket.write(stalled));
    server.drop(12);
    const retry = { maxAttempts: 13, budget: { minRetriesPerSecond: 1_000 } };
    const mesh = meshOf({ orders: server.port }, { ...options, retry, connections: { max: 2 }, concurrency: { maxInFlight: 2 } });
    await Promise.allSettled(Array.from({ length: 24 }, () => text(mesh)));
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(await text(mesh)).toBe("ok");
    await until("the connections are closed", () => server.open() <= 2);
  });
});

describe("bodyIdleTimeoutMs", () => {
  /** A body that is quiet for longer than the limit, and then goes on. */
  const quiet =
    (head: string): ((socket: Socket) => void) =>
    (socket) => {
      socket.write(`${head}content-length: 4\r\n\r\nbe`);
      setTimeout(() => socket.write("en"), 300);
    };
  const plain = "HTTP/1.1 200 OK\r\n";
  const events = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
  const given = { observers: [], retry: false, bodyIdleTimeoutMs: 60 } as const;

  it("spares an event stream that was asked for, and no other", async () => {
    const { port } = await serveRaw(quiet(events));
    const mesh = meshOf({ orders: port }, given);
    const accept = { headers: { accept: "text/event-stream" } };
    expect(await (await mesh.fetch("orders/", accept)).text()).toBe("been");
    expect(await (await mesh.request("orders/", accept)).body.text()).toBe("been");
    expect(await rejectionOf(mesh.fetch("orders/").then((response) => response.text()))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect(await rejectionOf(mesh.request("orders/").then(({ body }) => body.text()))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
  });

  it("does not spare an answer of another type to a caller that asked for events", async () => {
    const { port } = await serveRaw(quiet(plain));
    const mesh = meshOf({ orders: port }, given);
    const call = mesh.fetch("orders/", { headers: { accept: "text/event-stream" } }).then((response) => response.text());
    expect(await rejectionOf(call)).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
  });

  it("spares upgraded connections", async () => {
    const { port } = await serveRaw((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
      setTimeout(() => socket.write("late"), 300);
    });
    const mesh = meshOf({ orders: port }, given);
    const { socket } = await mesh.dispatcher().upgrade({ origin: "http://orders", path: "/", protocol: "echo" } as never);
    const late = await new Promise((resolve, reject) => {
      socket.once("data", resolve);
      socket.once("close", () => reject(new Error("closed")));
    });
    expect(String(late)).toBe("late");
    socket.destroy();
  });

  it("is an option of each service", async () => {
    const { port } = await serveRaw(quiet(plain));
    const services = { patient: { bodyIdleTimeoutMs: false as const }, hasty: { bodyIdleTimeoutMs: 60 } };
    const mesh = meshOf({ patient: port, hasty: port, other: port }, { observers: [], retry: false, services });
    const read = (service: string) => mesh.fetch(`${service}/`).then((response) => response.text());
    expect(await Promise.all([read("patient"), read("other"), rejectionOf(read("hasty"))])).toMatchObject([
      "been",
      "been",
      { code: "ERR_MESH_TIMEOUT" },
    ]);
  });
});
