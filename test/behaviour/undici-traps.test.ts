// Behaviour of undici that the transport is built around. When one of these fails after an update of undici, the place that
// relies on it has to be looked at: wire/exchange.ts, wire/transport.ts, wire/failure.ts.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type buildConnector, H2CClient, Pool, RetryAgent } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { closedPort, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { errorCode, type PeerConnection, servePeer } from "./http2-peer.ts";

/** A dispatch handler that writes its calls down. */
function recorder() {
  const calls: string[] = [];
  let abort: ((error?: Error) => void) | undefined;
  let error: (Error & { code?: string }) | undefined;
  const chunks: number[] = [];
  const handler = {
    onConnect: (given: (error?: Error) => void) => {
      calls.push("connect");
      abort = given;
    },
    onHeaders: (status: number) => {
      calls.push(`headers ${status}`);
      return true;
    },
    onData: (chunk: Buffer) => {
      chunks.push(chunk.byteLength);
      return true;
    },
    onComplete: () => void calls.push("complete"),
    onError: (given: Error) => {
      error = given;
      calls.push("error");
    },
  };
  return {
    calls,
    chunks,
    handler: handler as never,
    abort: () => abort?.(),
    get code() {
      return error?.code;
    },
    done: () => until("it has ended", () => calls.includes("complete") || calls.includes("error")),
  };
}

function poolTo(port: number, options: Pool.Options = {}): Pool {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 1, ...options });
  onTestFinished(() => pool.destroy());
  return pool;
}

const get = { path: "/", method: "GET" } as const;

describe("undici", () => {
  it("calls onConnect right before it writes, and not at all for a connection that could not be made", async () => {
    const refused = recorder();
    poolTo(await closedPort()).dispatch(get, refused.handler);
    await refused.done();
    expect([refused.calls, refused.code]).toEqual([["error"], "ECONNREFUSED"]);
    const server = await serveRaw((socket) => socket.resetAndDestroy());
    const reset = recorder();
    poolTo(server.port).dispatch(get, reset.handler);
    await reset.done();
    expect(reset.calls).toEqual(["connect", "error"]);
  });

  it("gives one code to connections that were never used and to requests that were read: codes prove nothing", async () => {
    const beforeReading = await serveRaw(() => {});
    const afterReading = await serveRaw((socket) => socket.end());
    const codes: (string | undefined)[] = [];
    for (const [server, endsAtOnce] of [
      [beforeReading, true],
      [afterReading, false],
    ] as const) {
      const seen = recorder();
      poolTo(server.port).dispatch(get, seen.handler);
      if (endsAtOnce) {
        await until("it is connected", () => server.sockets.length === 1);
        server.sockets[0]?.end();
      }
      await seen.done();
      codes.push(seen.code);
    }
    expect(codes).toEqual(["UND_ERR_SOCKET", "UND_ERR_SOCKET"]);
  });

  it("keeps the connection when onConnect throws for a request that was given up in the queue", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const pool = poolTo(server.port);
    const [first, abandoned, last] = [recorder(), recorder(), recorder()];
    pool.dispatch(get, first.handler);
    const throwing = {
      ...(abandoned.handler as object),
      onConnect: () => {
        throw new Error("given up");
      },
    } as never;
    pool.dispatch({ ...get, path: "/abandoned" }, throwing);
    pool.dispatch(get, last.handler);
    await Promise.all([first.done(), abandoned.done(), last.done()]);
    expect([abandoned.calls, server.begun, server.accepted]).toEqual([["error"], ["GET /", "GET /"], 1]);
  });

  it("takes a body without length that is reset for a whole one (so the connection is watched for it)", async () => {
    const server = await serveRaw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\npart");
      setTimeout(() => socket.resetAndDestroy(), 10);
    });
    const seen = recorder();
    poolTo(server.port).dispatch(get, seen.handler);
    await seen.done();
    expect(seen.calls).toEqual(["connect", "headers 200", "complete"]);
    const response = await meshOf({ orders: server.port }).fetch("orders/x");
    await expect(response.text()).rejects.toMatchObject({ code: "ERR_MESH_BODY" });
  });

  it("takes absolute URLs, dot segments and fragments for a path, and the caller's host and connection", async () => {
    const server = await serveRaw((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    for (const path of ["http://evil/x", "//evil", "/../a", "/a\\b", "/a#b"]) {
      const seen = recorder();
      poolTo(server.port).dispatch({ ...get, path, headers: { host: "evil", connection: "close" } }, seen.handler);
      await seen.done();
      expect(server.received.at(-1)).toContain(`GET ${path} HTTP/1.1\r\nhost: evil\r\nconnection: close`);
    }
  });

  it("connects again and again when a connector fails with UND_ERR_SOCKET (so none of our own may)", async () => {
    let connects = 0;
    const error = Object.assign(new Error("mine"), { code: "UND_ERR_SOCKET" });
    const connect: buildConnector.connector = (_options, callback) => {
      connects++;
      setTimeout(() => callback(connects < 50 ? error : new Error("enough"), null), 0);
    };
    const seen = recorder();
    poolTo(1, { connect }).dispatch(get, seen.handler);
    await seen.done();
    expect(connects).toBe(50);
  });

  it("ends a connection on which an unasked 100 comes, and lets 103 pass as a head", async () => {
    const hundred = await serveRaw((socket) => socket.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    const seen = recorder();
    poolTo(hundred.port).dispatch(get, seen.handler);
    await seen.done();
    expect([seen.calls, seen.code]).toEqual([["connect", "error"], "UND_ERR_SOCKET"]);
    const hints = await serveRaw((socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    const other = recorder();
    poolTo(hints.port).dispatch(get, other.handler);
    await other.done();
    expect(other.calls).toEqual(["connect", "headers 103", "headers 200", "complete"]);
  });

  it("destroys a stream it was given when the request is aborted, so it is given a wrapped one", async () => {
    const server = await serve(() => {});
    const { Readable } = await import("node:stream");
    const body = Readable.from(["a"]);
    body.on("error", () => {});
    const seen = recorder();
    poolTo(server.port).dispatch({ ...get, method: "POST", body }, seen.handler);
    await until("it is sent", () => server.seen.length === 1);
    seen.abort();
    await until("it is destroyed", () => body.destroyed);
  });

  it("resends a PUT by itself in its RetryAgent, which is not used for that", async () => {
    let turn = 0;
    const server = await serve((_request, response) => response.writeHead(turn++ === 0 ? 500 : 200).end());
    const agent = new RetryAgent(poolTo(server.port) as never, { minTimeout: 1 });
    await (await agent.request({ origin: `http://127.0.0.1:${server.port}`, path: "/", method: "PUT", body: "x" })).body.dump();
    expect(server.seen).toHaveLength(2);
    const mesh = meshOf({ orders: server.port });
    turn = 0;
    expect((await mesh.fetch("orders/x", { method: "PUT", body: "x" })).status).toBe(500);
    expect(server.seen).toHaveLength(3);
  });

  // undici 8 does so: where it does, one attempt is several requests on the wire, and `AttemptRecord` has to tell of them.
  it.each<[string, (connection: PeerConnection, streamId: number) => void]>([
    ["REFUSED_STREAM", (connection, streamId) => connection.resetStream(streamId, errorCode.refusedStream)],
    ["a GOAWAY below it", (connection) => connection.goAway(0, errorCode.noError)],
    ["a GOAWAY below it, with an error", (connection) => connection.goAway(0, errorCode.enhanceYourCalm)],
    ["a connection that broke", (connection) => void connection.socket.resetAndDestroy()],
  ])("resends nothing by itself on HTTP/2 after %s", async (_what, fail) => {
    const peer = await servePeer((connection, streamId) => {
      // All three have been sent when the first connection fails.
      if (connection !== peer.connections[0] || connection.opened.length > 3) connection.head(streamId, 204, true);
      else if (connection.opened.length === 3) for (const each of connection.opened) fail(connection, each);
    });
    const client = new H2CClient(`http://127.0.0.1:${peer.port}`, { pipelining: 10, maxConcurrentStreams: 10 });
    onTestFinished(() => client.destroy());
    const seen = [recorder(), recorder(), recorder()];
    for (const { handler } of seen) client.dispatch({ ...get, idempotent: true }, handler);
    await Promise.all(seen.map(({ done }) => done()));
    const last = recorder();
    client.dispatch(get, last.handler);
    await last.done();
    expect(seen.map(({ calls }) => calls)).toEqual(Array(3).fill(["connect", "error"]));
    expect(peer.connections.flatMap(({ opened }) => opened)).toHaveLength(4);
  });

  // In a process without the index of undici, which these tests load, and which replaces the dispatcher of Node's own fetch.
  it("leaves Node's own fetch as it is, as the mesh loads it", async () => {
    const server = await serve((_request, response) => response.end("ok"));
    const program = `
      await import(${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)});
      const init = { method: "POST", body: "abc", headers: { "content-length": "3" } };
      const text = await (await fetch("http://127.0.0.1:${server.port}/", init)).text();
      const error = await fetch("http://127.0.0.1:${await closedPort()}/").catch((error) => error);
      console.log(text, error instanceof TypeError);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    expect([stdout.trim(), server.seen[0]?.body.toString()]).toEqual(["ok true", "abc"]);
  });

  it("is the version these were seen with, or newer within 7", async () => {
    const { version } = (await import("undici/package.json", { with: { type: "json" } })).default as { version: string };
    expect(version).toMatch(/^7\.(3\d|[4-9]\d|\d{3,})\./);
  });
});

describe("a 304 with the content-length of another response", () => {
  it("is answered without its body by undici's error, and is no failure of the instance", async () => {
    const server = await serve((_request, response) => response.writeHead(304, { "content-length": 500 }).end());
    const seen = recorder();
    poolTo(server.port).dispatch({ path: "/", method: "GET" }, seen.handler);
    await seen.done();
    expect([seen.calls, seen.code]).toEqual([["connect", "headers 304", "error"], "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"]);
    const mesh = meshOf({ orders: server.port });
    for (let call = 0; call < 6; call++) expect(await (await mesh.fetch("orders/x")).text()).toBe("");
    await until("the attempts have ended", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 0);
    expect(mesh.explain("orders")?.endpoints).toMatchObject([{ attempts: 6, failures: 0, state: "available" }]);
  });
});
