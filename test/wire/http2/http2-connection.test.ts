import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../../src/balancer/pickers/round-robin.ts";
import type { Mesh } from "../../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../../src/mesh/mesh-options.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { Http2Pool } from "../../../src/wire/http2/http2-pool.ts";
import type { DispatchHandler } from "../../../src/wire/undici/undici.ts";
import { frameType } from "../../behaviour/http2-connection.ts";
import { errorCode, type PeerConnection, servePeer } from "../../behaviour/http2-peer.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { until } from "../../support/until.ts";

const h2c = (port: number | readonly number[], options: Partial<MeshOptions> = {}): Mesh =>
  meshOf({ users: port }, { protocol: "h2", breaker: false, ...options });

const answer = (connection: PeerConnection, streamId: number, text = "fine"): void => {
  connection.head(streamId, 200);
  connection.data(streamId, text, true);
};

const textOf = async (mesh: Mesh, path = "x", init: object = {}): Promise<string> => (await mesh.fetch(`users/${path}`, init)).text();

/** A handler of a dispatch that writes its calls down. */
function listener() {
  const calls: string[] = [];
  let abort = () => {};
  const handler = {
    onConnect: (given: () => void) => {
      abort = given;
    },
    onHeaders: () => calls.push("head"),
    onData: () => true,
    onComplete: () => calls.push("complete"),
    onError: (error: { code: string }) => calls.push(error.code),
  };
  return { calls, handler: handler as unknown as DispatchHandler, abort: () => abort() };
}

describe("an HTTP/2 connection whose path swallows everything", () => {
  it("is left by the first attempt after one that timed out, while the instance stays in rotation", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection !== peer.connections[0] || connection.opened.length === 1) answer(connection, streamId);
    });
    const mesh = h2c(peer.port, { attemptTimeoutMs: 200, breaker: {} });
    expect(await textOf(mesh)).toBe("fine");
    const [dead] = peer.connections as [PeerConnection];
    dead.answersPings = false;
    expect(await textOf(mesh)).toBe("fine");
    expect(peer.connections).toHaveLength(2);
    expect(mesh.explain("users")?.endpoints).toMatchObject([{ state: "available" }]);
    await until("the dead one is closed", () => dead.socket.destroyed);
    expect(dead.pings).toBe(1);
    for (let index = 0; index < 3; index++) expect(await textOf(mesh)).toBe("fine");
    expect(peer.connections).toHaveLength(2);
  });

  it("is told from an instance that is slow: with an answer to PING it is used again", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection.opened.length !== 2) answer(connection, streamId);
    });
    const mesh = h2c(peer.port, { attemptTimeoutMs: 200, retry: false });
    expect(await textOf(mesh)).toBe("fine");
    const [only] = peer.connections as [PeerConnection];
    expect(await rejectionOf(textOf(mesh))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    await until("PING has come", () => only.pings === 1);
    // In order behind the answer to PING.
    only.send(frameType.ping, 0, 0, Buffer.alloc(8));
    await until("it is trusted", async () => {
      await textOf(mesh);
      return only.opened.length > 2;
    });
    expect(peer.connections.length).toBeLessThan(3);
    expect(only.socket.destroyed).toBe(false);
  });

  it("fails what it carries, once nothing has come for twenty seconds", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection.opened.length === 1) connection.head(streamId, 200);
    });
    const time = virtualClock();
    const pool = new Http2Pool({
      origin: `http://127.0.0.1:${peer.port}`,
      connector: (_target, callback) => {
        const socket = connect(peer.port, "127.0.0.1", () => callback(null, socket));
      },
      clock: time,
      max: 1,
      maxAgeMs: 1e6,
      maxRequests: 1e6,
    });
    onTestFinished(() => pool.destroy());
    const [events, given] = [listener(), listener()];
    pool.dispatch({ path: "/events", method: "GET" }, events.handler);
    await until("its head is there", () => events.calls.includes("head"));
    const [dead] = peer.connections as [PeerConnection];
    dead.answersPings = false;
    pool.dispatch({ path: "/", method: "GET" }, given.handler);
    await until("both are there", () => dead.opened.length === 2);
    await time.advance(200);
    given.abort();
    await time.advance(1_000);
    expect(events.calls).toEqual(["head"]);
    await time.advance(20_000);
    await until("it has failed", () => events.calls.includes("UND_ERR_SOCKET"));
  });

  it("is replaced with two instances as with one", async () => {
    let isDead = false;
    const old = new Set<PeerConnection>();
    const answerUnlessDead = (connection: PeerConnection, streamId: number) => {
      if (!isDead || !old.has(connection)) answer(connection, streamId);
    };
    const peers = [await servePeer(answerUnlessDead), await servePeer(answerUnlessDead)];
    const mesh = h2c(
      peers.map(({ port }) => port),
      { attemptTimeoutMs: 200, picker: roundRobin(), breaker: {} },
    );
    for (let index = 0; index < 4; index++) await textOf(mesh);
    for (const { connections } of peers) {
      for (const connection of connections) {
        old.add(connection);
        connection.answersPings = false;
      }
    }
    isDead = true;
    for (let index = 0; index < 10; index++) expect(await textOf(mesh)).toBe("fine");
    expect(peers.map(({ connections }) => connections.length)).toEqual([2, 2]);
  });
});

describe("an HTTP/2 connection without TLS", () => {
  it("takes no request any more after connections.maxAgeMs, and what is in flight on it ends by itself", async () => {
    const waiting: (() => void)[] = [];
    const peer = await servePeer((connection, streamId) => {
      if (peer.connections.length === 1 && connection.opened.length === 1) waiting.push(() => answer(connection, streamId, "old"));
      else answer(connection, streamId, "new");
    });
    const mesh = h2c(peer.port, { connections: { maxAgeMs: 100 } });
    const first = textOf(mesh);
    await until("calls go elsewhere", async () => {
      await textOf(mesh);
      return peer.connections.length > 1;
    });
    expect(peer.connections[0]?.socket.destroyed).toBe(false);
    for (const goOn of waiting) goOn();
    expect(await first).toBe("old");
    await until("it is closed", () => peer.connections[0]?.socket.destroyed ?? false);
  });

  it("takes connections.maxRequests requests", async () => {
    const peer = await servePeer(answer);
    const mesh = h2c(peer.port, { connections: { maxRequests: 3 } });
    for (let index = 0; index < 7; index++) await textOf(mesh);
    expect(peer.connections.map(({ opened }) => opened.length)).toEqual([3, 3, 1]);
  });

  it("is replaced when three streams in a row have failed on it", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection === peer.connections[0]) connection.resetStream(streamId, errorCode.enhanceYourCalm);
      else answer(connection, streamId);
    });
    const mesh = h2c(peer.port, { retry: false });
    for (let index = 0; index < 3; index++) expect(await rejectionOf(textOf(mesh))).toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    expect(await textOf(mesh)).toBe("fine");
    expect(peer.connections).toHaveLength(2);
  });

  it("is replaced before a server would end it for the streams that were given up", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (streamId % 2 === 1 && connection.opened.length % 2 === 0) answer(connection, streamId);
    });
    const mesh = h2c(peer.port, { retry: false });
    for (let round = 0; round < 45; round++) {
      const calls = Array.from({ length: 20 }, () => {
        const controller = new AbortController();
        const call = textOf(mesh, "x", { signal: controller.signal }).catch(() => "given up");
        return { controller, call };
      });
      await Promise.race([calls[1]?.call, calls[0]?.call]);
      for (const { controller } of calls) controller.abort();
      await Promise.all(calls.map(({ call }) => call));
    }
    expect(Math.max(...peer.connections.map(({ reset }) => reset.length))).toBeLessThan(500);
    expect(peer.connections.length).toBeGreaterThan(1);
  });
});
