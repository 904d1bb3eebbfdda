import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Mesh } from "../../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../../src/mesh/mesh-options.ts";
import { errorCode, type PeerConnection, servePeer } from "../../behaviour/http2-peer.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { until } from "../../support/until.ts";

const meshTo = (port: number, options: Partial<MeshOptions>): Mesh => meshOf({ users: port }, { breaker: false, ...options });

/** 30,000 bytes, and then nothing, or an error. */
function source(fails: boolean): ReadableStream<Uint8Array> {
  let count = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (++count <= 3) controller.enqueue(new Uint8Array(10_000));
      else if (fails) controller.error(new Error("the disk failed"));
      else await new Promise(() => {});
    },
  });
}

type Body = ReadableStream<Uint8Array>;
type Door = (mesh: Mesh, body: Body, init: { signal?: AbortSignal; mesh?: object }) => Promise<unknown>;

const doors: Readonly<Record<string, Door>> = {
  fetch: (mesh, body, init) => mesh.fetch("users/x", { method: "POST", body, duplex: "half", ...init }),
  "fetch of a Request": (mesh, body, { mesh: own, ...init }) =>
    mesh.fetch(new Request("http://users/x", { method: "POST", body, duplex: "half", ...init } as RequestInit), { mesh: own ?? {} }),
  request: (mesh, body, init) => mesh.request("users/x", { method: "POST", body, duplex: "half", ...init }),
  dispatcher: (mesh, body, init) =>
    mesh
      .dispatcher()
      .request({ origin: "http://users", path: "/x", method: "POST", body: Readable.fromWeb(body as never), signal: init.signal }),
};

/** The ways in which an upload is given up. */
const ends: Readonly<Record<string, (door: Door, mesh: Mesh, arrived: () => Promise<unknown>) => Promise<unknown>>> = {
  "its source fails": (door, mesh) => rejectionOf(door(mesh, source(true), {})),
  "its caller aborts": async (door, mesh, arrived) => {
    const controller = new AbortController();
    const call = rejectionOf(door(mesh, source(false), { signal: controller.signal }));
    await arrived();
    controller.abort();
    return call;
  },
  "its attempt times out": (door, mesh) => rejectionOf(door(mesh, source(false), {})),
};

/** A server that keeps the bytes of its connections. */
async function keepBytes(): Promise<{ port: number; received: () => string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  let received = "";
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, received: () => received, sockets };
}

describe.each(Object.entries(doors))("an upload by %s", (_door, door) => {
  it.each(Object.entries(ends))("over HTTP/2 is cancelled, not ended, when %s", async (_why, give) => {
    const peer = await servePeer(() => {});
    const first = () => peer.connections[0] as PeerConnection;
    await give(door, meshTo(peer.port, { protocol: "h2", attemptTimeoutMs: 300 }), () =>
      until("it has begun", () => first()?.opened.length === 1),
    );
    await until("it is reset", () => first().reset.length === 1);
    expect([first().resetCodes, first().ended]).toEqual([[errorCode.cancel], []]);
  });

  it.each(Object.entries(ends))("over HTTP/1.1 has no last chunk when %s", async (_why, give) => {
    const server = await keepBytes();
    await give(door, meshTo(server.port, { attemptTimeoutMs: 300 }), () => until("it has begun", () => server.received().length > 0));
    await until("its connection is closed", () => server.sockets[0]?.closed ?? false);
    expect(server.received()).toContain("transfer-encoding: chunked");
    expect(server.received()).not.toContain("\r\n0\r\n\r\n");
  });
});

describe("uploads over HTTP/2", () => {
  it("of streams run side by side, also those of a Request", async () => {
    const peer = await servePeer((connection, streamId) => {
      // None is answered before all are there.
      if (connection.ended.length < 6) return;
      for (const each of connection.ended) connection.head(each, 204, true);
      expect(streamId).toBeGreaterThan(0);
    });
    const mesh = meshTo(peer.port, { protocol: "h2" });
    const streams = Array.from({ length: 3 }, () =>
      mesh.fetch("users/x", { method: "POST", body: new Blob(["x"]).stream(), duplex: "half" }),
    );
    const requests = Array.from({ length: 3 }, () => mesh.fetch(new Request("http://users/x", { method: "POST", body: "text" })));
    expect((await Promise.all([...streams, ...requests])).map(({ status }) => status)).toEqual(Array(6).fill(204));
  });

  it("that was given up holds up nothing beside a response that goes on", async () => {
    const peer = await servePeer(
      (connection, streamId) => connection.head(streamId, 204, true),
      undefined,
      (connection, streamId) => {
        if (streamId === 1) connection.head(1, 200);
      },
    );
    const mesh = meshTo(peer.port, { protocol: "h2" });
    const events = await mesh.fetch("users/events", { method: "POST", body: source(false), duplex: "half" });
    const controller = new AbortController();
    const upload = rejectionOf(mesh.fetch("users/x", { method: "POST", body: source(false), duplex: "half", signal: controller.signal }));
    await until("both have begun", () => peer.connections[0]?.opened.length === 2);
    controller.abort();
    await upload;
    for (let index = 0; index < 3; index++) expect((await mesh.fetch("users/x")).status).toBe(204);
    expect(peer.connections[0]?.socket.destroyed).toBe(false);
    await events.body?.cancel();
  });

  it("says how long its content is, whatever the method", async () => {
    const peer = await servePeer((connection, streamId) => connection.head(streamId, 204, true));
    const mesh = meshTo(peer.port, { protocol: "h2" });
    for (const method of ["POST", "DELETE", "QUERY"]) expect((await mesh.fetch("users/x", { method, body: "content" })).status).toBe(204);
  });
});
