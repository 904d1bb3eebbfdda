import { describe, expect, it } from "vitest";
import type { AttemptRecord } from "../../../src/core/errors.ts";
import type { Observer } from "../../../src/core/observing/observer.ts";
import type { Mesh } from "../../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../../src/mesh/mesh-options.ts";
import { errorCode, type PeerConnection, servePeer } from "../../behaviour/http2-peer.ts";
import { meshOf } from "../../support/mesh.ts";
import { rejectionOf } from "../../support/rejection.ts";
import { until } from "../../support/until.ts";

const h2c = (port: number | readonly number[], options: Partial<MeshOptions> = {}): Mesh =>
  meshOf({ users: port }, { protocol: "h2", breaker: false, ...options });

const post = { method: "POST", body: "content" } as const;

const answer = (connection: PeerConnection, streamId: number, text = "fine"): void => {
  connection.head(streamId, 200);
  connection.data(streamId, text, true);
};

const textOf = async (mesh: Mesh, path: string, init: object = post): Promise<string> => (await mesh.fetch(`users/${path}`, init)).text();

/** Writes down every attempt: what an instance has seen and no observer was told of would be missing. */
const journal = (records: AttemptRecord[]): Observer => ({
  onAttempt: () => ({
    onEnd({ record }) {
      records.push(record);
    },
  }),
});

const inFlight = (mesh: Mesh) => mesh.explain("users")?.endpoints.reduce((sum, each) => sum + each.inFlight, 0);

describe("a stream that is reset", () => {
  it.each([["POST"], ["GET"]])(
    "before its head with REFUSED_STREAM was not executed: a %s is sent again, without the budget",
    async (method) => {
      const peer = await servePeer((connection, streamId) => {
        if (connection.opened.length === 1) connection.resetStream(streamId, errorCode.refusedStream);
        else answer(connection, streamId);
      });
      const records: AttemptRecord[] = [];
      const mesh = h2c(peer.port, { retry: { budget: { ratio: 0, minRetriesPerSecond: 0 } }, observers: [journal(records)] });
      expect(await textOf(mesh, "x", method === "POST" ? post : {})).toBe("fine");
      expect(peer.connections.map(({ opened }) => opened.length)).toEqual([2]);
      // Each of the two is an attempt that observers are told of: nothing below the mesh has sent one of them.
      expect(records).toMatchObject([
        { phase: "headers", maybeExecuted: false },
        { phase: "body", status: 200 },
      ]);
    },
  );

  it("with REFUSED_STREAM is answered by another instance", async () => {
    const refusing = await servePeer((connection, streamId) => connection.resetStream(streamId, errorCode.refusedStream));
    const willing = await servePeer(answer);
    const mesh = h2c([refusing.port, willing.port]);
    for (let index = 0; index < 4; index++) expect(await textOf(mesh, "x")).toBe("fine");
    expect(refusing.connections[0]?.opened.length).toBeGreaterThan(0);
  });

  it.each(Object.entries({ noError: 0, protocolError: 1, internalError: 2, streamClosed: 5, cancel: 8, enhanceYourCalm: 11 }))(
    "before its head with the code %s may have been executed: a POST is not sent again, a GET is",
    async (_name, code) => {
      const peer = await servePeer((connection, streamId) => {
        if (connection.opened.length === 1) connection.resetStream(streamId, code);
        else answer(connection, streamId);
      });
      expect(await rejectionOf(textOf(h2c(peer.port), "x"))).toMatchObject({
        code: "ERR_MESH_PROTOCOL",
        maybeExecuted: true,
        attempts: { length: 1 },
      });
      expect(await textOf(h2c(peer.port), "x", {})).toBe("fine");
      expect(peer.connections.map(({ opened }) => opened.length)).toEqual([1, 2]);
    },
  );

  it.each(Object.entries({ noError: 0, internalError: 2, refusedStream: 7, cancel: 8 }))(
    "in the middle of its body with the code %s has a body that fails, however it is read",
    async (_name, code) => {
      const peer = await servePeer((connection, streamId) => {
        connection.head(streamId, 200);
        connection.data(streamId, "part");
        setTimeout(() => connection.resetStream(streamId, code), 10);
      });
      const mesh = h2c(peer.port);
      const cut = { code: "ERR_MESH_BODY", maybeExecuted: true, attempts: [expect.objectContaining({ phase: "body", status: 200 })] };
      expect(await rejectionOf(textOf(mesh, "x", {}))).toMatchObject(cut);
      const read = async () => {
        const parts: string[] = [];
        for await (const part of (await mesh.fetch("users/y")).body ?? []) parts.push(Buffer.from(part).toString());
        return parts;
      };
      expect(await rejectionOf(read())).toMatchObject(cut);
      await until("nothing is in flight", () => inFlight(mesh) === 0);
    },
  );

  it("after its whole answer, as a server does that needs no more of the request, is no error", async () => {
    const peer = await servePeer((connection, streamId) => {
      answer(connection, streamId);
      connection.resetStream(streamId, errorCode.noError);
    });
    const mesh = h2c(peer.port);
    for (let index = 0; index < 3; index++) expect(await textOf(mesh, "x")).toBe("fine");
    const empty = await servePeer((connection, streamId) => {
      connection.head(streamId, 204, true);
      connection.resetStream(streamId, errorCode.noError);
    });
    expect((await h2c(empty.port).fetch("users/x")).status).toBe(204);
  });
});

describe("a GOAWAY", () => {
  it("without an error lets the streams that it covers end, and those above it be sent again on another connection", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection !== peer.connections[0]) answer(connection, streamId, "second");
      else if (connection.opened.length === 4 && streamId === 7) {
        connection.goAway(3, errorCode.noError);
        setTimeout(() => {
          for (const covered of [1, 3]) answer(connection, covered, "first");
        }, 30);
      }
    });
    const records: AttemptRecord[] = [];
    const mesh = h2c(peer.port, { retry: { budget: { ratio: 0, minRetriesPerSecond: 0 } }, observers: [journal(records)] });
    const texts = await Promise.all(Array.from({ length: 4 }, (_, index) => textOf(mesh, String(index))));
    expect(texts).toEqual(["first", "first", "second", "second"]);
    expect(peer.connections.map(({ opened }) => opened.length)).toEqual([4, 2]);
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(records.map(({ maybeExecuted, status }) => status ?? maybeExecuted).sort()).toEqual([200, 200, 200, 200, false, false]);
    await until("the first connection is closed", () => peer.connections[0]?.socket.destroyed ?? false);
  });

  it("without an error cuts no body off, and no new request comes after it", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection !== peer.connections[0]) answer(connection, streamId, "second");
      else if (streamId > 1) answer(connection, streamId, "before it has arrived");
      else {
        connection.head(streamId, 200);
        connection.data(streamId, "fir");
      }
    });
    const mesh = h2c(peer.port);
    const response = await mesh.fetch("users/x");
    const first = peer.connections[0] as PeerConnection;
    // As a server that shuts down gracefully: first all streams, a little later those that it has seen (RFC 9113 §6.8).
    first.goAway(2 ** 31 - 1, errorCode.noError);
    await until("requests go elsewhere", async () => (await textOf(mesh, "y")) === "second");
    const opened = first.opened.length;
    first.goAway(first.opened.at(-1) as number, errorCode.noError);
    for (let index = 0; index < 5; index++) expect(await textOf(mesh, "z")).toBe("second");
    first.data(1, "st", true);
    expect(await response.text()).toBe("first");
    expect([first.opened.length, peer.connections.length]).toEqual([opened, 2]);
    await until("the first connection is closed", () => first.socket.destroyed);
  });

  it("loses no request that waits for a stream of the connection", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection !== peer.connections[0]) answer(connection, streamId, "second");
      else if (streamId === 1) answer(connection, streamId);
      else if (streamId === 5) {
        connection.goAway(5, errorCode.noError);
        setTimeout(() => {
          for (const covered of [3, 5]) answer(connection, covered, "first");
        }, 30);
      }
    }, 2);
    const mesh = h2c(peer.port);
    // The limit holds once it has arrived.
    await textOf(mesh, "x");
    const texts = await Promise.all(Array.from({ length: 6 }, (_, index) => textOf(mesh, String(index))));
    expect(texts).toEqual(["first", "first", "second", "second", "second", "second"]);
    expect(peer.connections[0]?.opened).toEqual([1, 3, 5]);
  });

  it("with an error says of a stream that it covers that it may have been executed, and sends one above it again", async () => {
    const peer = await servePeer((connection, streamId) => {
      if (connection !== peer.connections[0]) answer(connection, streamId, "second");
      else if (streamId === 3) connection.goAway(1, errorCode.enhanceYourCalm);
    });
    const mesh = h2c(peer.port);
    const covered = rejectionOf(textOf(mesh, "covered"));
    const above = textOf(mesh, "above");
    expect(await covered).toMatchObject({ code: "ERR_MESH_PROTOCOL", maybeExecuted: true, attempts: { length: 1 } });
    expect(await above).toBe("second");
    await until("nothing is in flight", () => inFlight(mesh) === 0);
  });
});

describe("the peer's limit of streams at a time", () => {
  it("is kept, also when it is lowered later", async () => {
    let open = 0;
    let most = 0;
    const peer = await servePeer((connection, streamId) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        answer(connection, streamId);
      }, 5);
    }, 20);
    const mesh = h2c(peer.port);
    const burst = () => Promise.all(Array.from({ length: 60 }, (_, index) => textOf(mesh, String(index), index % 2 === 0 ? post : {})));
    // What is sent before the settings have arrived knows of no limit.
    await textOf(mesh, "x");
    await burst();
    expect(most).toBe(20);
    peer.connections[0]?.allow(3);
    // In order behind the settings: after this answer they hold.
    await textOf(mesh, "x");
    most = 0;
    await burst();
    expect(most).toBe(3);
    expect(peer.connections).toHaveLength(1);
  });

  it("is used by POSTs as by GETs", async () => {
    const peer = await servePeer((connection, streamId) => {
      // None is answered before all are there.
      if (streamId === 11) for (const waiting of [1, 3, 5, 7, 9, 11]) answer(connection, waiting);
    });
    const mesh = h2c(peer.port);
    expect(await Promise.all(Array.from({ length: 6 }, (_, index) => textOf(mesh, String(index))))).toEqual(Array(6).fill("fine"));
  });
});

describe("what waits for a stream", () => {
  it("and is given up is never sent, and was provably not executed", async () => {
    const peer = await servePeer((connection, streamId) => answer(connection, streamId));
    const mesh = h2c(peer.port, { attemptTimeoutMs: 200, retry: false });
    await textOf(mesh, "x");
    peer.connections[0]?.allow(0);
    await textOf(mesh, "x").catch(() => {});
    const controller = new AbortController();
    const aborted = rejectionOf(textOf(mesh, "aborted", { ...post, signal: controller.signal }));
    const timedOut = rejectionOf(textOf(mesh, "timed-out"));
    controller.abort("mine");
    expect(await aborted).toBe("mine");
    expect(await timedOut).toMatchObject({ code: "ERR_MESH_TIMEOUT", maybeExecuted: false, attempts: [{ phase: "connect" }] });
    const opened = peer.connections[0]?.opened.length;
    peer.connections[0]?.allow(10);
    await until("there is room again", async () => (await textOf(mesh, "y").catch(() => "")) === "fine");
    expect(peer.connections.flatMap((connection) => connection.opened)).toHaveLength((opened ?? 0) + 1);
  });

  it("goes out when the peer allows more", async () => {
    const peer = await servePeer((connection, streamId) => answer(connection, streamId), 0);
    const mesh = h2c(peer.port);
    const first = textOf(mesh, "x");
    await until("it is connected", () => peer.connections.length === 1);
    peer.connections[0]?.allow(1);
    expect(await first).toBe("fine");
  });
});

describe("a response with a length that a reset without an error ends", () => {
  it.each([
    ["is whole when the length is met", "part", undefined],
    ["is an error when it is not", "par", "ERR_MESH_BODY"],
  ])("%s", async (_what, text, code) => {
    const peer = await servePeer((connection, streamId) => {
      connection.head(streamId, 200, false, 4);
      connection.data(streamId, text);
      connection.resetStream(streamId, errorCode.noError);
    });
    const outcome = await textOf(h2c(peer.port), "x", {}).catch((error) => error.code);
    expect(outcome).toBe(code ?? text);
  });
});

describe("an answer for another host (421)", () => {
  it("is asked of another instance, whatever the method", async () => {
    const misdirected = await servePeer((connection, streamId) => connection.head(streamId, 421, true));
    const right = await servePeer(answer);
    const mesh = h2c([misdirected.port, right.port]);
    for (let index = 0; index < 4; index++) expect(await textOf(mesh, "x")).toBe("fine");
    expect(misdirected.connections[0]?.opened.length).toBeGreaterThan(0);
  });
});
