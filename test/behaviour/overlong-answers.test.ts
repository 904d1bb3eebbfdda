import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { type PeerConnection, servePeer } from "./http2-peer.ts";

const { fetch, request, dispatcher, agent } = doors;
const pooled = Object.entries({ fetch, request, dispatcher });
const all = [...pooled, ["agent", agent] as const];

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
const foreign = "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nforeign";

/** Answers that are longer than their heads say: what comes at once, and what comes later. */
const overlong: Readonly<Record<string, readonly [string, string?]>> = {
  "bytes behind its length": [`${ok}EXTRA`],
  "an answer behind its length": [ok + foreign],
  "bytes behind its length, later": [ok, "EXTRA"],
  "an answer behind its length, later": [ok, foreign],
  "the beginning of an answer behind its length, later": [ok, "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n"],
  "an informational answer behind its length, later": [ok, "HTTP/1.1 103 Early Hints\r\n\r\n"],
  "bytes behind its last chunk": [`${chunked}EXTRA`],
  "an answer behind its last chunk": [chunked + foreign],
  "an answer behind an empty one": [`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n${foreign}`],
  "an answer behind a 204": [`HTTP/1.1 204 No Content\r\n\r\n${foreign}`],
};

const failures = (mesh: Mesh) => mesh.explain("svc")?.endpoints[0]?.failures;

/** Answers `/good` well, and all else with `parts`. Notes which connection each request came over. */
async function instance([first, later]: readonly [string, string?]) {
  const over = new Map<string, number[]>();
  const raw = await serveRaw((socket, head) => {
    const path = head.split(" ")[1] as string;
    over.set(path, [...(over.get(path) ?? []), raw.sockets.indexOf(socket)]);
    socket.write(path === "/good" ? ok.replace("ok", "my") : first);
    if (path !== "/good" && later !== undefined) setTimeout(() => socket.write(later), 10);
  });
  return { raw, over };
}

const cases = Object.entries(overlong).flatMap(([what, parts]) => all.map(([door, call]) => ({ what, parts, door, call })));

describe("an HTTP/1.1 answer that is longer than it says", () => {
  it.each(cases)("with $what is cut to its length by $door, and its connection carries no other", async ({ parts, door, call }) => {
    const { raw, over } = await instance(parts);
    const mesh = meshOf({ svc: raw.port }, { retry: false });
    const first = await call(mesh, { path: "/long" }).then(
      ({ text }) => text,
      (error: { code?: string }) => error.code,
    );
    // Node's own client gets the error of its parser where the rest is no HTTP.
    if (door === "agent" && parts[0].endsWith("EXTRA")) expect(first).toMatch(/^HPE_/);
    else expect(["", "ok"]).toContain(first);
    if (parts[1] !== undefined) await until("its connection has been closed", () => raw.sockets[0]?.destroyed === true);
    for (let index = 0; index < 4; index++) expect((await call(mesh, { path: "/good" })).text).toBe("my");
    expect(over.get("/long")).toEqual([0]);
    expect(over.get("/good")).not.toContain(0);
    expect(failures(mesh)).toBe(first?.startsWith("HPE_") ? 1 : 0);
  });

  it.each(all)("that is malformed in its middle is the failure of its instance by %s", async (_door, call) => {
    const { raw } = await instance(["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nno length\r\n"]);
    const mesh = meshOf({ svc: raw.port }, { retry: false });
    await rejectionOf(call(mesh, { path: "/long" }));
    await until("it has ended", () => mesh.explain("svc")?.endpoints[0]?.inFlight === 0);
    expect(failures(mesh)).toBe(1);
  });

  it.each([
    ["two lengths", "content-length: 2\r\ncontent-length: 7\r\n\r\nforeign"],
    ["a list of lengths", "content-length: 2, 2\r\n\r\nok"],
    ["a length and chunks", "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ["a length with a sign", "content-length: +2\r\n\r\nok"],
  ])("or has %s is refused by every door", async (_what, rest) => {
    const { raw } = await instance([`HTTP/1.1 200 OK\r\n${rest}`]);
    for (const [door, call] of all) {
      const mesh = meshOf({ svc: raw.port }, { retry: false });
      await rejectionOf(call(mesh, { path: "/long" }));
      expect(failures(mesh), door).toBe(1);
    }
  });
});

type AnswerStream = (connection: PeerConnection, streamId: number) => void;

const overHttp2: Readonly<Record<string, AnswerStream>> = {
  "more than its length": (connection, streamId) => {
    connection.head(streamId, 200, false, 2);
    connection.data(streamId, "okEXTRA", true);
  },
  "more than its length in frames": (connection, streamId) => {
    connection.head(streamId, 200, false, 2);
    connection.data(streamId, "ok");
    setTimeout(() => connection.data(streamId, "EXTRA", true), 10);
  },
  "less than its length": (connection, streamId) => {
    connection.head(streamId, 200, false, 7);
    connection.data(streamId, "ok", true);
  },
  "content though its length is none": (connection, streamId) => {
    connection.head(streamId, 200, false, 0);
    connection.data(streamId, "ok", true);
  },
};
const http2Cases = Object.entries(overHttp2).flatMap(([what, answer]) => pooled.map(([door, call]) => ({ what, answer, door, call })));

describe("an HTTP/2 answer with another length than it says", () => {
  it.each(http2Cases)("with $what is an error by $door, and the failure of its instance", async ({ answer, call }) => {
    let requests = 0;
    const peer = await servePeer((connection, streamId) => {
      if (requests++ === 0) answer(connection, streamId);
      else {
        connection.head(streamId, 200, false, 2);
        connection.data(streamId, "my", true);
      }
    });
    const mesh = meshOf({ svc: peer.port }, { retry: false, protocol: "h2" });
    expect(await rejectionOf(call(mesh))).toMatchObject({ code: "ERR_MESH_BODY", maybeExecuted: true });
    expect(failures(mesh)).toBe(1);
    // The connection may be at its end, too.
    await pause(20);
    expect((await call(mesh)).text).toBe("my");
  });
});
