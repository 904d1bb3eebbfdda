import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { type Dispatcher, errors, request, WebSocket } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

type Notes = [string, ...unknown[]][];

/** A handler of undici up to version 7 that notes what it is told. */
function noting(notes: Notes, own: object = {}): object {
  const names = (raw: readonly Buffer[]) => raw.filter((_part, index) => index % 2 === 0).map(String);
  return {
    onConnect: () => void notes.push(["connect"]),
    onBodySent: (chunk: Uint8Array) => void notes.push(["body sent", chunk.byteLength]),
    onRequestSent: () => void notes.push(["request sent"]),
    onResponseStarted: () => void notes.push(["response started"]),
    onHeaders: (status: number, headers: readonly Buffer[]) => notes.push(["head", status, names(headers).includes("link")]) > 0,
    onData: (chunk: Uint8Array) => notes.push(["data", chunk.byteLength]) > 0,
    onComplete: () => void notes.push(["complete"]),
    onError: (error: Error) => void notes.push(["error", error.message]),
    ...own,
  };
}

const hints = { link: "</style.css>; rel=preload" };

/** Answers each POST with 103 and then with 200, over either protocol. */
async function hinting(protocol: "h1" | "h2"): Promise<number> {
  const answer = (incoming: NodeJS.ReadableStream, outgoing: { writeEarlyHints(given: object): void; end(text: string): void }) => {
    incoming.resume();
    incoming.once("end", () => {
      outgoing.writeEarlyHints(hints);
      outgoing.end("whole");
    });
  };
  if (protocol === "h1") return listening(createServer(answer as never));
  const server = createHttp2Server(answer as never);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const post = { origin: "http://users", path: "/", method: "POST", body: "content" } as const;

describe("a handler of the dispatcher", () => {
  it.each(["h1", "h2"] as const)("is told what is sent, of 1xx responses and that the response begins, over %s", async (protocol) => {
    const mesh = meshOf({ users: await hinting(protocol) }, { protocol });
    const notes: Notes = [];
    mesh.dispatcher().dispatch(post, noting(notes));
    await until("the response is complete", () => notes.at(-1)?.[0] === "complete");
    expect(notes).toEqual([
      ["connect"],
      ["body sent", 7],
      ["request sent"],
      ...(protocol === "h1" ? [["response started"]] : []),
      ["head", 103, true],
      ["response started"],
      ["head", 200, false],
      ["data", 5],
      ["complete"],
    ]);
  });

  it("of undici's request has its onInfo called", async () => {
    const mesh = meshOf({ users: await hinting("h1") });
    const infos: unknown[] = [];
    const { statusCode, body } = await request("http://users/", {
      dispatcher: mesh.dispatcher() as unknown as Dispatcher,
      method: "POST",
      onInfo: (info: unknown) => infos.push(info),
    } as never);
    expect([statusCode, await body.text()]).toEqual([200, "whole"]);
    expect(infos).toMatchObject([{ statusCode: 103, headers: hints }]);
  });

  it("is told of each attempt", async () => {
    let attempts = 0;
    const server = await serve((_incoming, outgoing) => void outgoing.writeHead(++attempts === 1 ? 503 : 200).end());
    const mesh = meshOf({ users: [server.port] }, { retry: { maxAttempts: 2, baseDelayMs: 0, methods: "idempotent" } });
    const notes: Notes = [];
    mesh.dispatcher().dispatch({ ...post, method: "PUT" }, noting(notes));
    await until("the response is complete", () => notes.at(-1)?.[0] === "complete");
    const attempt = [["body sent", 7], ["request sent"], ["response started"]];
    expect(notes).toEqual([["connect"], ...attempt, ...attempt, ["head", 200, false], ["complete"]]);
  });

  it.each(["onBodySent", "onRequestSent", "onResponseStarted"])(
    "that throws in %s aborts its request, and is told nothing more",
    async (name) => {
      const mesh = meshOf({ users: await hinting("h1") });
      const notes: Notes = [];
      const thrown = () => {
        throw new Error("not today");
      };
      mesh.dispatcher().dispatch(post, noting(notes, { [name]: thrown }));
      await until("it is told the error", () => notes.at(-1)?.[0] === "error");
      await until("nothing is in flight", () => mesh.explain("users")?.endpoints[0]?.inFlight === 0);
      expect(notes.at(-1)).toEqual(["error", "not today"]);
      expect(notes.filter(([kind]) => kind === "head" || kind === "complete")).toEqual([]);
    },
  );

  it("has its headersTimeout for each attempt, and 0 for none", async () => {
    const { port } = await serveRaw(() => {});
    const mesh = meshOf({ users: port }, { retry: false, attemptTimeoutMs: 40 });
    const dispatcher = mesh.dispatcher() as unknown as Dispatcher;
    const short = await rejectionOf(request("http://users/", { dispatcher, headersTimeout: 25 }));
    expect(short).toMatchObject({ code: "ERR_MESH_TIMEOUT", message: expect.stringContaining("within 25 ms") });
    const stop = new AbortController();
    const open = rejectionOf(request("http://users/", { dispatcher, headersTimeout: 0, signal: stop.signal }));
    await new Promise((resolve) => setTimeout(resolve, 80));
    stop.abort();
    expect(await open).toMatchObject({ name: "AbortError" });
  });

  it("gets undici's error for a blob whose type is no header", async () => {
    const odd = Object.defineProperty(new Blob(["x"]), "type", { value: "text/html\r\nx-injected: true" });
    const server = await serve();
    const dispatcher = meshOf({ users: server.port }).dispatcher() as unknown as Dispatcher;
    const error = await rejectionOf(request("http://users/", { dispatcher, method: "POST", body: odd as never }));
    expect(error).toBeInstanceOf(errors.InvalidArgumentError);
    expect(server.seen).toEqual([]);
  });
});

/** An unmasked frame of a WebSocket: `opcode` 1 begins a text, 0 goes on with it. */
function frame(opcode: number, isLast: boolean, bytes: number): Buffer {
  const head = bytes < 126 ? Buffer.from([0, bytes]) : Buffer.from([0, 126, bytes >> 8, bytes & 255]);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  return Buffer.concat([head, Buffer.alloc(bytes, "x")]);
}

describe("a WebSocket over the dispatcher", () => {
  const limits = { maxFragments: 3, maxPayloadSize: 1_000 };
  it.each([
    ["of more bytes", [frame(1, true, 1_001)]],
    ["in more fragments", [frame(1, false, 1), frame(0, false, 1), frame(0, false, 1), frame(0, true, 1)]],
  ])("takes no message %s than it may", async (_what, frames) => {
    const { createHash } = await import("node:crypto");
    const server = createServer();
    server.on("upgrade", ({ headers }, socket) => {
      const key = createHash("sha1").update(`${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${key}\r\n\r\n`);
      socket.write(Buffer.concat(frames));
      socket.on("error", () => {});
    });
    const mesh = meshOf({ users: await listening(server) });
    const dispatcher = mesh.dispatcher({ webSocket: limits }) as unknown as Dispatcher;
    const socket = new WebSocket("ws://users/", { dispatcher });
    const messages: unknown[] = [];
    socket.addEventListener("message", ({ data }) => messages.push(data));
    await new Promise((resolve) => socket.addEventListener("close", resolve));
    expect(messages).toEqual([]);
  });

  it("has undici's limits without an option, and refuses wrong ones", () => {
    const mesh = meshOf({ users: 9 });
    expect(mesh.dispatcher().webSocketOptions).toEqual({ maxFragments: 131_072, maxPayloadSize: 134_217_728 });
    expect(mesh.dispatcher({ webSocket: { maxFragments: 0 } }).webSocketOptions.maxFragments).toBe(0);
    for (const wrong of [-1, 1.5, Number.NaN, "5"])
      expect(() => mesh.dispatcher({ webSocket: { maxPayloadSize: wrong as number } })).toThrow(/^dispatcher: webSocket.maxPayloadSize/);
  });
});
