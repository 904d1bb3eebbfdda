import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { PassThrough, Readable, Writable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import {
  type Dispatcher,
  errors,
  interceptors,
  pipeline,
  request,
  stream,
  FormData as UndiciFormData,
  fetch as undiciFetch,
  upgrade,
  WebSocket,
} from "undici";
import { describe, expect, it } from "vitest";
import { isMeshError } from "../../src/core/errors.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, listening, serve, serveRaw, type TestServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A server that tells what it got. */
function echo(): Promise<TestServer> {
  const bodies: string[] = [];
  return serve((request, response) => {
    bodies.push(request.method ?? "");
    response.setHeader("content-type", "text/plain");
    response.setHeader("x-twice", ["1", "2"]);
    response.end(`${request.method} ${request.url}`);
  });
}

function through(
  services: Readonly<Record<string, number | readonly number[]>>,
  options: Partial<MeshOptions> = {},
): { mesh: Mesh; dispatcher: Dispatcher } {
  const mesh = meshOf(services, options);
  return { mesh, dispatcher: mesh.dispatcher() };
}

const inFlight = (mesh: Mesh, service = "users") => mesh.explain(service)?.endpoints.reduce((sum, each) => sum + each.inFlight, 0);

/** The MeshError that an error was caused by. */
function meshErrorOf(error: unknown): unknown {
  let current = error;
  while (current instanceof Error && !isMeshError(current)) current = current.cause;
  return current;
}

describe("mesh.dispatcher", () => {
  it("carries undici's fetch: GET, POST, headers, decoding, redirects", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
      else if (request.url === "/gzip") response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("decoded"));
      else response.end(`${request.method} ${request.url} ${request.headers["x-a"] ?? ""}`);
    });
    const { mesh, dispatcher } = through({ users: server.port });
    const get = await undiciFetch("http://users/x?a=%41", { dispatcher, headers: { "x-a": "1" } });
    expect([get.status, get.url, await get.text()]).toEqual([200, "http://users/x?a=%41", "GET /x?a=%41 1"]);
    await (await undiciFetch("http://users/p", { dispatcher, method: "POST", body: "content" })).text();
    const posted = server.seen.at(-1);
    expect([posted?.body.toString(), posted?.headers["content-type"]]).toEqual(["content", "text/plain;charset=UTF-8"]);
    // As without the mesh: its length is known, so it is not sent in chunks.
    expect([posted?.headers["content-length"], posted?.headers["transfer-encoding"]]).toEqual(["7", undefined]);
    expect(await (await undiciFetch("http://users/gzip", { dispatcher })).text()).toBe("decoded");
    const moved = await undiciFetch("http://users/moved", { dispatcher });
    expect([moved.redirected, moved.url, await moved.text()]).toEqual([true, "http://users/there", "GET /there "]);
    await until("nothing is in flight", () => inFlight(mesh) === 0);
  });

  it("carries undici's request, with query, headers in each form, and each kind of body", async () => {
    const server = await echo();
    const { dispatcher } = through({ users: server.port });
    const answer = await request("http://users/x", { dispatcher, query: { a: "1 2", b: ["x", "y"] }, headers: { "x-a": "1" } });
    expect([answer.statusCode, answer.headers["x-twice"], await answer.body.text()]).toEqual([200, ["1", "2"], "GET /x?a=1%202&b=x&b=y"]);
    for (const headers of [
      ["x-a", "1", "x-b", "2"],
      { "X-A": "1", "x-b": ["2"] },
      new Map([
        ["x-a", "1"],
        ["x-b", "2"],
      ]),
    ]) {
      await (await request("http://users/x", { dispatcher, headers: headers as never })).body.dump();
      expect(server.seen.at(-1)?.headers).toMatchObject({ "x-a": "1", "x-b": "2" });
    }
    const form = new UndiciFormData();
    form.append("a", "1");
    const bodies: readonly (readonly [unknown, string | RegExp])[] = [
      ["text", "text"],
      [Buffer.from("buffer"), "buffer"],
      [Readable.from(["read", "able"]), "readable"],
      [["an ", "array"], "an array"],
      [form, /name="a"\r\n\r\n1\r\n/],
      [null, ""],
    ];
    for (const [body, expected] of bodies) {
      await (await request("http://users/p", { dispatcher, method: "POST", body: body as never })).body.dump();
      const sent = server.seen.at(-1)?.body.toString();
      if (typeof expected === "string") expect(sent).toBe(expected);
      else expect(sent).toMatch(expected);
    }
    const both = rejectionOf(request("http://users/x?a=1", { dispatcher, query: { b: 1 } }));
    expect(await both).toBeInstanceOf(errors.InvalidArgumentError);
  });

  it("carries undici's stream and pipeline", async () => {
    const server = await serve((request, response) => response.end(`${request.method} ${request.url}`));
    const { dispatcher } = through({ users: server.port });
    const sink = new PassThrough();
    const content = textOf(sink);
    await stream("http://users/s", { dispatcher, method: "GET", opaque: sink }, () => sink);
    expect(await content).toBe("GET /s");
    const duplex = pipeline("http://users/p", { dispatcher, method: "PUT" }, ({ body }) => body);
    duplex.end("through");
    expect(await textOf(duplex)).toBe("PUT /p");
    expect(server.seen.at(-1)?.body.toString()).toBe("through");
  });

  it("hands on trailers", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { trailer: "x-late" });
      response.write("body");
      response.addTrailers({ "x-late": "yes" });
      response.end();
    });
    const { dispatcher } = through({ users: server.port });
    const { body, trailers } = await request("http://users/x", { dispatcher });
    await body.text();
    expect(trailers).toEqual({ "x-late": "yes" });
  });

  it("retries a GET on another instance, and a POST whose stream has not been read", async () => {
    const server = await echo();
    const bad = await serve((_request, response) => response.writeHead(503).end());
    const { dispatcher } = through({ users: [await closedPort(), server.port], orders: [bad.port, server.port] });
    for (let index = 0; index < 4; index++) {
      expect((await undiciFetch("http://users/x", { dispatcher })).status).toBe(200);
      expect((await undiciFetch("http://users/x", { dispatcher, method: "POST", body: "content" })).status).toBe(200);
      expect((await request("http://orders/x", { dispatcher })).statusCode).toBe(200);
    }
    expect(server.seen.filter(({ method, body }) => method === "POST" && body.toString() === "content")).toHaveLength(4);
  });

  it("does not send a stream again that was read, nor a POST that was executed", async () => {
    const seen: string[] = [];
    const breaking = await Promise.all(
      [1, 2].map(() =>
        serveRaw((socket, head) => {
          if (!head.includes("HTTP/1.1")) return;
          seen.push(head.split("\r\n")[0] as string);
          setTimeout(() => socket.destroy(), 20);
        }),
      ),
    );
    const { dispatcher } = through({ users: breaking.map(({ port }) => port) });
    const body = Readable.from(["some"]);
    const error = await rejectionOf(request("http://users/p", { dispatcher, method: "PUT", body, idempotent: true }));
    expect(error).toMatchObject({ code: "ERR_MESH_PROTOCOL", maybeExecuted: true, attempts: { length: 1 } });
    expect(seen).toHaveLength(1);
    expect(await rejectionOf(request("http://users/p", { dispatcher, method: "POST", body: "x" }))).toMatchObject({
      attempts: { length: 1 },
    });
    expect(seen).toHaveLength(2);
  });

  it("repeats what undici's caller calls idempotent", async () => {
    const bad = await serve((_request, response) => response.writeHead(503).end());
    const server = await echo();
    const { dispatcher } = through({ users: [bad.port, server.port] });
    const statuses = new Set<number>();
    for (let index = 0; index < 4; index++) {
      const { statusCode, body } = await request("http://users/p", { dispatcher, method: "POST", body: "x", idempotent: true });
      statuses.add(statusCode);
      await body.dump();
    }
    expect([...statuses]).toEqual([200]);
  });

  it("fails with a MeshError: as it is from request, as the cause from fetch", async () => {
    const { dispatcher } = through({ users: await closedPort() }, { retry: false });
    expect(await rejectionOf(request("http://users/x", { dispatcher }))).toMatchObject({ name: "MeshError", code: "ERR_MESH_CONNECT" });
    const failed = await rejectionOf(undiciFetch("http://users/x", { dispatcher }));
    expect(failed).toBeInstanceOf(TypeError);
    expect(meshErrorOf(failed)).toMatchObject({ code: "ERR_MESH_CONNECT", service: "users", maybeExecuted: false });
    const unknown = await rejectionOf(undiciFetch("http://nobody/x", { dispatcher }));
    expect(meshErrorOf(unknown)).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    for (const url of ["http://127.0.0.1:8099/x", "http://users:8080/x", "http://localhost:8099/"]) {
      expect(meshErrorOf(await rejectionOf(undiciFetch(url, { dispatcher }))), url).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    }
  });

  it("tells of a body that breaks off", async () => {
    const raw = await serveRaw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun");
      setTimeout(() => socket.destroy(), 20);
    });
    const { mesh, dispatcher } = through({ users: raw.port });
    const { body } = await request("http://users/x", { dispatcher });
    expect(meshErrorOf(await rejectionOf(body.text()))).toMatchObject({ code: "ERR_MESH_BODY" });
    expect(meshErrorOf(await rejectionOf((await undiciFetch("http://users/x", { dispatcher })).text()))).toMatchObject({
      code: "ERR_MESH_BODY",
    });
    expect(inFlight(mesh)).toBe(0);
  });

  it("sends what passThrough says to where it says", async () => {
    const inside = await echo();
    const outside = await echo();
    const mesh = meshOf({ users: inside.port });
    const origins: string[] = [];
    const dispatcher = mesh.dispatcher({
      passThrough: (origin) => {
        origins.push(origin);
        return origin.includes("127.0.0.1");
      },
    });
    await (await undiciFetch(`http://127.0.0.1:${outside.port}/out`, { dispatcher })).text();
    await (await undiciFetch("http://users/in", { dispatcher })).text();
    expect([outside.begun, inside.begun, origins]).toEqual([
      ["GET /out"],
      ["GET /in"],
      [`http://127.0.0.1:${outside.port}`, "http://users"],
    ]);
    await dispatcher.close();
  });

  it("closes with the mesh, and the mesh with it", async () => {
    const server = await echo();
    const { mesh, dispatcher } = through({ users: server.port });
    await (await request("http://users/x", { dispatcher })).body.dump();
    await dispatcher.close();
    expect(await rejectionOf(mesh.fetch("users/x"))).toMatchObject({ code: "ERR_MESH_CLOSED" });
    expect(await rejectionOf(request("http://users/x", { dispatcher }))).toBeInstanceOf(errors.ClientDestroyedError);
    const other = through({ users: server.port });
    await new Promise<void>((resolve) => other.dispatcher.close(resolve));
    await other.mesh.close();
    expect(await rejectionOf(request("http://users/x", { dispatcher: other.mesh.dispatcher() }))).toMatchObject({
      code: "ERR_MESH_CLOSED",
    });
    const third = through({ users: server.port });
    await new Promise<void>((resolve) => third.dispatcher.destroy(null, resolve));
    expect(await rejectionOf(request("http://users/x", { dispatcher: third.dispatcher }))).toBeInstanceOf(errors.ClientDestroyedError);
  });

  it("refuses a body whose length is not what its caller says", async () => {
    const server = await echo();
    const { dispatcher } = through({ users: server.port });
    const send = (body: string | Buffer, length: number) =>
      request("http://users/x", { dispatcher, method: "PUT", body, headers: { "content-length": String(length) } });
    for (const body of ["four", Buffer.from("four")]) {
      expect(await rejectionOf(send(body, 3))).toBeInstanceOf(errors.RequestContentLengthMismatchError);
      await (await send(body, 4)).body.dump();
    }
    expect(server.seen.map((seen) => seen.body.toString())).toEqual(["four", "four"]);
  });

  it("closes when interceptors are around it", async () => {
    const server = await echo();
    const { mesh, dispatcher } = through({ users: server.port });
    const composed = dispatcher.compose(interceptors.dump());
    expect((await request("http://users/x", { dispatcher: composed })).statusCode).toBe(200);
    await composed.close();
    expect(await rejectionOf(mesh.fetch("users/x"))).toMatchObject({ code: "ERR_MESH_CLOSED" });
    await through({ users: server.port }).dispatcher.compose(interceptors.dump()).destroy();
  });

  it("refuses requests while it closes, and lets those in flight end", async () => {
    let answer: () => void = () => {};
    const server = await serve((_request, response) => {
      answer = () => response.end("late");
    });
    const mesh = meshOf({ users: server.port }, { drainTimeoutMs: 5_000 });
    const dispatcher = mesh.dispatcher();
    const call = request("http://users/x", { dispatcher });
    await until("it has arrived", () => server.seen.length === 1);
    const closing = dispatcher.close();
    expect(await rejectionOf(request("http://users/x", { dispatcher }))).toBeInstanceOf(errors.ClientClosedError);
    answer();
    expect(await (await call).body.text()).toBe("late");
    await closing;
  });

  it("ends its requests with the error that it is destroyed with, one that waits for its head and one that is read", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/begun") response.writeHead(200).write("begun");
    });
    const { mesh, dispatcher } = through({ users: server.port });
    const waiting = rejectionOf(request("http://users/silent", { dispatcher }));
    const { body } = await request("http://users/begun", { dispatcher });
    const reading = rejectionOf(body.text());
    await until("both have arrived", () => server.seen.length === 2);
    const reason = new RangeError("enough");
    await dispatcher.destroy(reason);
    expect(await Promise.all([waiting, reading])).toEqual([reason, reason]);
    expect(await rejectionOf(mesh.fetch("users/x"))).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });
});

describe("an abort of what a dispatcher carries", () => {
  const hanging = () => serve((_request, response) => void response.writeHead(200).write("begun"));

  it("ends a request that waits for its head", async () => {
    const server = await serve(() => {});
    const { mesh, dispatcher } = through({ users: server.port });
    const controller = new AbortController();
    const reason = new RangeError("mine");
    const calls = [
      rejectionOf(request("http://users/x", { dispatcher, signal: controller.signal })),
      rejectionOf(undiciFetch("http://users/x", { dispatcher, signal: controller.signal })),
    ];
    await until("both have arrived", () => server.seen.length === 2);
    controller.abort(reason);
    expect(await Promise.all(calls)).toEqual([reason, reason]);
    await until("both connections are closed", () => server.abandoned === 2);
    expect(inFlight(mesh)).toBe(0);
  });

  it("sends nothing when it comes first", async () => {
    const server = await echo();
    const { dispatcher } = through({ users: server.port });
    expect(await rejectionOf(request("http://users/x", { dispatcher, signal: AbortSignal.abort() }))).toMatchObject({ name: "AbortError" });
    const controller = new AbortController();
    const call = rejectionOf(request("http://users/x", { dispatcher, signal: controller.signal }));
    controller.abort();
    expect(await call).toMatchObject({ name: "AbortError" });
    expect(server.accepted).toBe(0);
  });

  it("ends a body, by the signal and by destroying it", async () => {
    const server = await hanging();
    const { mesh, dispatcher } = through({ users: server.port });
    const controller = new AbortController();
    const { body } = await request("http://users/x", { dispatcher, signal: controller.signal });
    const read = rejectionOf(body.text());
    controller.abort();
    expect(await read).toMatchObject({ name: "AbortError" });
    const other = (await request("http://users/x", { dispatcher })).body;
    other.on("error", () => {});
    other.destroy();
    const third = await undiciFetch("http://users/x", { dispatcher });
    await third.body?.cancel();
    await until("the connections are closed", () => server.abandoned === 3);
    expect(inFlight(mesh)).toBe(0);
  });

  it("reaches a handler that has paused", async () => {
    const server = await hanging();
    const { mesh, dispatcher } = through({ users: server.port });
    const stuck = new Writable({ highWaterMark: 1, write: () => {} });
    stuck.on("error", () => {});
    const controller = new AbortController();
    const call = rejectionOf(stream("http://users/x", { dispatcher, method: "GET", signal: controller.signal }, () => stuck));
    await until("the head has come", () => inFlight(mesh) === 1 && server.seen.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort();
    expect(await call).toMatchObject({ name: "AbortError" });
    expect(inFlight(mesh)).toBe(0);
  });
});

describe("backpressure", () => {
  it("of a slow reader reaches the server, and all of it arrives", async () => {
    let written = 0;
    const chunk = Buffer.alloc(65_536, 1);
    const server = await serve(async (_request, response) => {
      const closed = once(response, "close");
      while (written < 48 * 2 ** 20 && !response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) await Promise.race([once(response, "drain"), closed]);
      }
      response.end();
    });
    const { dispatcher } = through({ users: server.port });
    const { body } = await request("http://users/x", { dispatcher });
    let before = -1;
    await until("the server stands still", async () => {
      const stands = before === written;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return stands;
    });
    expect(written).toBeLessThan(32 * 2 ** 20);
    let size = 0;
    for await (const part of body) size += (part as Buffer).length;
    expect(size).toBe(48 * 2 ** 20);
  });
});

describe("undici's handlers", () => {
  const dispatchWith = (dispatcher: Dispatcher, handler: object) =>
    dispatcher.dispatch({ origin: "http://users", path: "/x", method: "GET" }, handler as Dispatcher.DispatchHandler);

  it("of the earlier kind are told all, and may pause", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(201, "Made", { trailer: "x-late", "X-A": "1" });
      response.write("one");
      setTimeout(() => {
        response.addTrailers({ "x-late": "yes" });
        response.end("two");
      }, 30);
    });
    const { dispatcher } = through({ users: server.port });
    const told: string[] = [];
    await new Promise<void>((resolve, reject) => {
      let resume: () => void = () => {};
      const handler = {
        onConnect: () => told.push("connect"),
        onHeaders: (status: number, headers: Buffer[], go: () => void, statusText: string) => {
          told.push(`head ${status} ${statusText} ${headers.map(String).includes("x-a")}`);
          resume = go;
          setTimeout(() => {
            told.push("resumed");
            resume();
          }, 50);
          return false;
        },
        onData: (chunk: Buffer) => {
          told.push(`data ${chunk}`);
          return true;
        },
        onComplete: (trailers: Buffer[]) => {
          told.push(`end ${trailers.map(String)}`);
          resolve();
        },
        onError: reject,
      };
      expect(dispatchWith(dispatcher, handler)).toBe(true);
    });
    expect([told[0], told[1], told[2], told.at(-1)]).toEqual(["connect", "head 201 Made true", "resumed", "end x-late,yes"]);
    expect(
      told
        .filter((each) => each.startsWith("data"))
        .map((each) => each.slice(5))
        .join(""),
    ).toBe("onetwo");
  });

  it("of the later kind are told all, may pause and abort", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(201, "Made", { "set-cookie": ["a=1", "b=2"] });
      response.write("one");
      setTimeout(() => response.end("two"), 30);
    });
    const { mesh, dispatcher } = through({ users: server.port });
    const told: unknown[] = [];
    let content = "";
    await new Promise<void>((resolve, reject) => {
      dispatchWith(dispatcher, {
        onRequestStart: (controller: Dispatcher.DispatchController) => told.push([controller.aborted, controller.paused]),
        onResponseStart: (controller: Dispatcher.DispatchController, status: number, headers: object, statusText: string) => {
          told.push([status, statusText, (headers as Record<string, unknown>)["set-cookie"]]);
          controller.pause();
          setTimeout(() => {
            told.push([controller.paused, content]);
            controller.resume();
          }, 50);
        },
        onResponseData: (_controller: unknown, chunk: Buffer) => {
          content += chunk.toString();
        },
        onResponseEnd: () => resolve(),
        onResponseError: (_controller: unknown, error: Error) => reject(error),
      });
    });
    expect(told).toEqual([
      [false, false],
      [201, "Made", ["a=1", "b=2"]],
      [true, ""],
    ]);
    expect(content).toBe("onetwo");
    const reason = new RangeError("mine");
    const error = await new Promise((resolve) => {
      dispatchWith(dispatcher, {
        onRequestStart: () => {},
        onResponseStart: (controller: Dispatcher.DispatchController) => controller.abort(reason),
        onResponseData: () => {},
        onResponseEnd: () => resolve("ended"),
        onResponseError: (controller: Dispatcher.DispatchController, error: Error) =>
          resolve([error, controller.aborted, controller.reason]),
      });
    });
    expect(error).toEqual([reason, true, reason]);
    await until("nothing is in flight", () => inFlight(mesh) === 0);
  });

  it("that abort while a response that has arrived is passed on are told the abort, and nothing after it", async () => {
    const server = await serve((_request, response) => response.end("whole"));
    const { mesh, dispatcher } = through({ users: server.port });
    for (const moment of ["onHeaders", "onData"]) {
      const told: string[] = [];
      const reason = new RangeError("mine");
      let abort: (reason?: unknown) => void = () => {};
      const handler = {
        onConnect: (given: typeof abort) => {
          abort = given;
        },
        onHeaders: () => told.push("onHeaders") > 0,
        onData: () => told.push("onData") > 0,
        onComplete: () => told.push("onComplete"),
        onError: (error: Error) => told.push(error === reason ? "the reason" : String(error)),
      };
      const noted = handler[moment as "onHeaders" | "onData"];
      Object.assign(handler, {
        [moment]: () => {
          noted();
          abort(reason);
          return true;
        },
      });
      dispatchWith(dispatcher, handler);
      await until("it has been told", () => told.includes("the reason"));
      await until("nothing is in flight", () => inFlight(mesh) === 0);
      expect(told).toEqual(moment === "onHeaders" ? ["onHeaders", "the reason"] : ["onHeaders", "onData", "the reason"]);
    }
  });

  it("that abort without a reason are told undici's own", async () => {
    const server = await serve(() => {});
    const { dispatcher } = through({ users: server.port });
    const error = await new Promise((resolve) => {
      const onConnect = (abort: () => void) => setTimeout(abort, 5);
      dispatchWith(dispatcher, { onConnect, onHeaders: () => true, onData: () => true, onComplete: () => {}, onError: resolve });
    });
    expect(error).toBeInstanceOf(errors.RequestAbortedError);
  });

  it("that lack a method are told so, or the caller is", async () => {
    const { dispatcher } = through({ users: await closedPort() });
    expect(() => dispatchWith(dispatcher, undefined as never)).toThrow(errors.InvalidArgumentError);
    expect(() => dispatchWith(dispatcher, { onConnect() {} })).toThrow(errors.InvalidArgumentError);
    const told: unknown[] = [];
    expect(dispatchWith(dispatcher, { onConnect() {}, onError: (error: Error) => told.push(error) })).toBe(false);
    expect(told[0]).toBeInstanceOf(errors.InvalidArgumentError);
  });

  it("of a CONNECT are told that there are no tunnels", async () => {
    const { dispatcher } = through({ users: await closedPort() });
    const error = await rejectionOf(dispatcher.connect({ origin: "http://users", path: "users:80" }));
    expect(error).toBeInstanceOf(errors.NotSupportedError);
  });

  it.each(["onHeaders", "onData"])("that throw in %s get their error, and the connection is given up", async (thrower) => {
    const server = await serve((_request, response) => void response.writeHead(200).write("begun"));
    const { mesh, dispatcher } = through({ users: server.port });
    const mine = new RangeError("mine");
    const error = await new Promise((resolve) => {
      dispatchWith(dispatcher, {
        onConnect: () => {},
        onHeaders: () => true,
        onData: () => true,
        onComplete: () => resolve("ended"),
        onError: resolve,
        [thrower]: () => {
          throw mine;
        },
      });
    });
    expect(error).toBe(mine);
    await until("the connection is closed", () => server.abandoned === 1);
    expect(inFlight(mesh)).toBe(0);
  });
});

describe("a WebSocket through the dispatcher", () => {
  /** Speaks as much of RFC 6455 as it takes to send "hello" and then to echo nothing. */
  async function socketServer(): Promise<{ port: number; open: () => number; heads: IncomingMessage[] }> {
    const heads: IncomingMessage[] = [];
    let open = 0;
    const server = createServer((_request, response) => void response.writeHead(404).end("no"));
    server.on("upgrade", (head, socket) => {
      heads.push(head);
      open++;
      socket.on("close", () => open--);
      socket.on("error", () => {});
      socket.resume();
      socket.on("end", () => socket.end());
      const key = createHash("sha1").update(`${head.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${key}\r\n\r\n`);
      socket.write(Buffer.concat([Buffer.from([0x81, 5]), Buffer.from("hello")]));
    });
    return { port: await listening(server), open: () => open, heads };
  }

  it("opens on an instance, counts as in flight and is let go when it closes", async () => {
    const server = await socketServer();
    const { mesh, dispatcher } = through({ users: server.port });
    const socket = new WebSocket("ws://users/chat?a=1", { dispatcher });
    const message = await new Promise((resolve, reject) => {
      socket.addEventListener("message", ({ data }) => resolve(data));
      socket.addEventListener("error", reject);
    });
    expect([message, server.heads[0]?.url, inFlight(mesh)]).toEqual(["hello", "/chat?a=1", 1]);
    await mesh.close();
    await until("the server sees it closed", () => server.open() === 0);
  });

  it("is let go when the instance ends it", async () => {
    const server = await socketServer();
    const { mesh, dispatcher } = through({ users: server.port });
    const socket = new WebSocket("ws://users/chat", { dispatcher });
    await new Promise((resolve) => socket.addEventListener("message", resolve));
    socket.close();
    await until("the lease is settled", async () => {
      // This server answers no close frame: it is the connection that ends.
      server.heads[0]?.socket.destroy();
      return inFlight(mesh) === 0;
    });
  });

  it("that its caller gives up rejects with the caller's reason, and blames no instance", async () => {
    const server = await serveRaw(() => {});
    const { mesh, dispatcher } = through({ users: server.port });
    const aborting = new AbortController();
    const mine = new Error("mine");
    const upgraded = rejectionOf(upgrade("http://users/chat", { dispatcher, signal: aborting.signal }));
    await until("the instance has the request", () => server.received[0] !== undefined);
    aborting.abort(mine);
    expect(await upgraded).toBe(mine);
    await until("the attempt has ended", () => inFlight(mesh) === 0);
    expect(mesh.explain("users")?.endpoints).toMatchObject([{ attempts: 1, failures: 0, inFlight: 0 }]);
  });

  it("fails when no instance takes the connection", async () => {
    const { mesh, dispatcher } = through({ users: await closedPort() });
    const socket = new WebSocket("ws://users/chat", { dispatcher });
    await new Promise((resolve) => socket.addEventListener("error", resolve));
    expect(inFlight(mesh)).toBe(0);
  });

  it("fails when the instance refuses, which is an answer", async () => {
    const server = await serve((_request, response) => response.writeHead(404).end("no"));
    const { mesh, dispatcher } = through({ users: server.port });
    const socket = new WebSocket("ws://users/chat", { dispatcher });
    await new Promise((resolve) => socket.addEventListener("error", resolve));
    await until("nothing is in flight", () => inFlight(mesh) === 0);
    expect(mesh.explain("users")?.endpoints[0]?.failures).toBe(0);
  });
});
