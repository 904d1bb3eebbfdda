import { request as undiciRequest } from "undici";
import { describe, expect, it } from "vitest";
import type { Mesh } from "../../src/index.ts";
import { meshOf } from "../support/mesh.ts";
import type { PeerConnection } from "./http2-connection.ts";
import { type Http2Peer, servePeer } from "./http2-peer.ts";

type Method = "GET" | "HEAD";

const doors: Readonly<Record<string, (mesh: Mesh, path: string, method: Method) => Promise<string>>> = {
  fetch: async (mesh, path, method) => await (await mesh.fetch(`orders${path}`, { method })).text(),
  request: async (mesh, path, method) => await (await mesh.request(`orders${path}`, { method })).body.text(),
  dispatcher: async (mesh, path, method) => {
    const { body } = await undiciRequest(`http://orders${path}`, { method, dispatcher: mesh.dispatcher() });
    return await body.text();
  },
};

interface Violation {
  readonly method: Method;
  readonly answer: (connection: PeerConnection, streamId: number) => void;
  /** Whether the response is one that has no content: `fetch` gives it to the caller with its head, and the other doors fail with its stream. */
  readonly isEmpty: boolean;
}

const ofStreams: Readonly<Record<string, Violation>> = {
  "content in the response to HEAD": {
    method: "HEAD",
    answer: (connection, id) => {
      connection.head(id, 200, false, 3);
      for (const isEnd of [false, false, true]) connection.data(id, "abc", isEnd);
    },
    isEmpty: true,
  },
  "content in a 204": {
    method: "GET",
    answer: (connection, id) => {
      connection.head(id, 204);
      connection.data(id, "abc", true);
    },
    isEmpty: true,
  },
  "content in a 304, later than its head": {
    method: "GET",
    answer: (connection, id) => {
      connection.head(id, 304);
      setTimeout(() => connection.data(id, "abc", true), 20);
    },
    isEmpty: true,
  },
  "more content than the head announces": {
    method: "GET",
    answer: (connection, id) => {
      connection.head(id, 200, false, 2);
      connection.data(id, "abc", true);
    },
    isEmpty: false,
  },
  "less content than the head announces": {
    method: "GET",
    answer: (connection, id) => {
      connection.head(id, 200, false, 9);
      connection.data(id, "abc", true);
    },
    isEmpty: false,
  },
};

/** A peer whose first stream ends when the test says, whose second one breaks a rule, and which answers each other one. */
async function peerWith(answer: Violation["answer"]): Promise<{ peer: Http2Peer; endFirst: () => void }> {
  let endFirst = (): void => {};
  const peer = await servePeer((connection, id) => {
    if (id === 3) return answer(connection, id);
    connection.head(id, 200);
    connection.data(id, "whole", id !== 1);
    if (id === 1) endFirst = () => connection.data(id, " and all", true);
  });
  return { peer, endFirst: () => endFirst() };
}

const ways = Object.keys(doors).flatMap((door) => Object.keys(ofStreams).map((what) => ({ door, what })));

describe("a response over HTTP/2 that breaks a rule", () => {
  it.each(ways)("fails for itself at most, and ends no other on its connection: $what, by $door", async ({ door, what }) => {
    const { method, answer, isEmpty } = ofStreams[what] as Violation;
    const call = doors[door] as (typeof doors)[string];
    const { peer, endFirst } = await peerWith(answer);
    const mesh = meshOf({ orders: peer.port }, { protocol: "h2", retry: false });
    const first = call(mesh, "/first", "GET");
    await expect.poll(() => peer.connections[0]?.ended.length).toBe(1);
    const outcome = await call(mesh, "/odd", method).catch(() => undefined);
    expect(outcome).toBe(isEmpty && door === "fetch" ? "" : undefined);
    await expect.poll(() => peer.connections[0]?.reset).toEqual([3]);
    expect(await call(mesh, "/after", "GET")).toBe("whole");
    endFirst();
    expect(await first).toBe("whole and all");
    expect(peer.connections).toHaveLength(1);
  });

  it("ends its connection at once where the violation concerns that", async () => {
    // Content before the head.
    const { peer } = await peerWith((connection, id) => connection.data(id, "abc", true));
    const mesh = meshOf({ orders: peer.port }, { protocol: "h2", retry: false, timeoutMs: 60_000 });
    const first = mesh.fetch("orders/first").then((response) => response.text());
    await expect.poll(() => peer.connections[0]?.ended.length).toBe(1);
    const odd = mesh.fetch("orders/odd");
    await expect(first).rejects.toMatchObject({ code: "ERR_MESH_BODY" });
    await expect(odd).rejects.toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    await mesh.fetch("orders/after");
    expect(peer.connections).toHaveLength(2);
  });
});
