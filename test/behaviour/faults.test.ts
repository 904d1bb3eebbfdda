import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { MeshError } from "../../src/core/errors.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, type RawTestServer, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

const rst = (socket: Socket) => socket.resetAndDestroy();
const ok = "HTTP/1.1 200 OK\r\n";

interface Fault {
  readonly onConnection?: (socket: Socket) => void;
  readonly onRequest?: (socket: Socket) => void;
  readonly options?: Partial<MeshOptions>;
  /** The code of a call that is not repeated. */
  readonly code: string;
  readonly phase: string;
  readonly executed: boolean;
  /** The status, where a head had arrived: the error is one of the body. */
  readonly status?: number;
}

/** Faults of a request whose connection was made. */
const faults: Readonly<Record<string, Fault>> = {
  "a reset when the request was read": { onRequest: rst, code: "ERR_MESH_PROTOCOL", phase: "headers", executed: true },
  "an end when the request was read": { onRequest: (socket) => socket.end(), code: "ERR_MESH_PROTOCOL", phase: "headers", executed: true },
  "a reset in the middle of the head": {
    onRequest: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-le");
      setTimeout(rst, 5, socket);
    },
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "garbage instead of HTTP": {
    onRequest: (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "a TLS alert instead of HTTP": {
    onRequest: (socket) => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 10])),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "HTTP/2 instead of HTTP/1.1": {
    onRequest: (socket) => socket.end(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "two lengths": {
    onRequest: (socket) => socket.write(`${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nab`),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "a length and chunks": {
    onRequest: (socket) => socket.write(`${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "a head of a megabyte": {
    onRequest: (socket) => socket.write(`${ok}x: ${"a".repeat(1_000_000)}\r\n\r\n`),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "ten thousand headers": {
    onRequest: (socket) => socket.write(`${ok}${"x: aaaaaa\r\n".repeat(10_000)}\r\n`),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  "an unasked 101": {
    onRequest: (socket) => socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    code: "ERR_MESH_PROTOCOL",
    phase: "headers",
    executed: true,
  },
  silence: { onRequest: () => {}, options: { attemptTimeoutMs: 50 }, code: "ERR_MESH_TIMEOUT", phase: "headers", executed: true },
  "a body of known length that is reset": {
    onRequest: (socket) => {
      socket.write(`${ok}content-length: 10\r\n\r\nabc`);
      setTimeout(rst, 5, socket);
    },
    code: "ERR_MESH_BODY",
    phase: "body",
    executed: true,
    status: 200,
  },
  "a body of known length that ends early": {
    onRequest: (socket) => socket.end(`${ok}content-length: 10\r\n\r\nabc`),
    code: "ERR_MESH_BODY",
    phase: "body",
    executed: true,
    status: 200,
  },
  "a body in chunks that is reset": {
    onRequest: (socket) => {
      socket.write(`${ok}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`);
      setTimeout(rst, 5, socket);
    },
    code: "ERR_MESH_BODY",
    phase: "body",
    executed: true,
    status: 200,
  },
  "a body in chunks that ends early": {
    onRequest: (socket) => socket.end(`${ok}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`),
    code: "ERR_MESH_BODY",
    phase: "body",
    executed: true,
    status: 200,
  },
  "broken chunks": {
    onRequest: (socket) => socket.write(`${ok}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    code: "ERR_MESH_BODY",
    phase: "body",
    executed: true,
    status: 200,
  },
  "a body that stalls": {
    onRequest: (socket) => socket.write(`${ok}content-length: 10\r\n\r\nabc`),
    options: { bodyIdleTimeoutMs: 100 },
    code: "ERR_MESH_TIMEOUT",
    phase: "body",
    executed: true,
    status: 200,
  },
};

/** The error of a call, or of its body. */
async function failureOf(mesh: Mesh, init: RequestInit): Promise<MeshError> {
  const response = mesh.fetch("orders/x", init as object);
  return (await rejectionOf(response.then((got) => got.text()))) as MeshError;
}

function faulty(fault: Fault): Promise<RawTestServer> {
  return serveRaw((socket) => fault.onRequest?.(socket));
}

describe("a fault on the wire", () => {
  for (const [name, fault] of Object.entries(faults)) {
    const { code, phase, executed, options, status } = fault;

    it(`is classified: ${name}`, async () => {
      const server = await faulty(fault);
      for (const method of ["GET", "POST"]) {
        const mesh = meshOf({ orders: server.port }, { ...options, retry: false, breaker: false });
        const error = await failureOf(mesh, { method });
        expect(error).toMatchObject({ name: "MeshError", code, service: "orders", maybeExecuted: executed });
        expect(error.attempts).toMatchObject([
          { phase, maybeExecuted: executed, address: `127.0.0.1:${server.port}`, ...(status && { status }) },
        ]);
        expect(error.message).toContain("orders");
        expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ inFlight: 0 });
      }
      expect(server.received.join("")).toContain("POST /x");
    });

    it(`is ${status === undefined ? "repeated elsewhere for a GET, not for a POST" : "never repeated"}: ${name}`, async () => {
      const bad = await faulty(fault);
      const good = await serve((_request, response) => response.end("good"));
      const options = { ...fault.options, random: () => 0, retry: { baseDelayMs: 0 } } as const;
      // The bad one is first in the list; a mesh of its own each time, so that nothing has been learnt.
      for (const method of ["GET", "POST"] as const) {
        const before = good.seen.length;
        const mesh = meshOf({ orders: [bad.port, good.port] }, options);
        const outcomes: unknown[] = [];
        for (let call = 0; call < 2; call++) {
          outcomes.push(
            await mesh.fetch("orders/x", { method }).then(
              (response) => response.text().catch((error: MeshError) => error.code),
              (error: MeshError) => error.code,
            ),
          );
        }
        if (method === "GET" && status === undefined) expect(outcomes).toEqual(["good", "good"]);
        else {
          expect(outcomes.sort()).toEqual([code, "good"].sort());
          expect(good.seen.length - before).toBe(1);
        }
      }
    });
  }

  it("is repeated for a POST when the caller says that it may be", async () => {
    const bad = await serveRaw(rst);
    const good = await serve((_request, response) => response.end("good"));
    const mesh = meshOf({ orders: [bad.port, good.port] });
    for (let call = 0; call < 4; call++) {
      expect(await (await mesh.fetch("orders/x", { method: "POST", body: "b", mesh: { idempotent: true } })).text()).toBe("good");
    }
    expect(good.seen.every(({ body }) => body.toString() === "b")).toBe(true);
  });

  it("on a connection that was never made is certain not to have been executed, and every method goes elsewhere", async () => {
    const mesh = meshOf({ orders: await closedPort() });
    const error = (await rejectionOf(mesh.fetch("orders/x", { method: "POST", body: "b", mesh: { retry: false } }))) as MeshError;
    expect(error).toMatchObject({ code: "ERR_MESH_CONNECT", maybeExecuted: false, service: "orders" });
    expect(error.attempts).toMatchObject([{ phase: "connect", code: "ECONNREFUSED", maybeExecuted: false }]);
    const good = await serve((_request, response) => response.end("good"));
    const both = meshOf({ orders: [await closedPort(), await closedPort(), good.port] });
    for (const method of ["POST", "PATCH", "DELETE", "GET"]) expect(await (await both.fetch("orders/x", { method })).text()).toBe("good");
  });

  it("that hits every attempt ends with the attempts in order", async () => {
    const ports = [await closedPort(), await closedPort(), await closedPort()];
    const error = (await rejectionOf(meshOf({ orders: ports }).fetch("orders/x", { method: "POST" }))) as MeshError;
    expect(error).toMatchObject({ code: "ERR_MESH_RETRY_EXHAUSTED", maybeExecuted: false, cause: { code: "ERR_MESH_CONNECT" } });
    expect(error.attempts.map(({ address }) => address).sort()).toEqual(ports.map((port) => `127.0.0.1:${port}`).sort());
  });

  it("fails every request that waits for the connection, and soon", async () => {
    const mesh = meshOf({ orders: await closedPort() }, { connections: { max: 1 }, retry: false, breaker: false });
    const errors = await Promise.all(Array.from({ length: 5 }, () => rejectionOf(mesh.fetch("orders/x"))));
    expect(errors).toMatchObject(Array(5).fill({ code: "ERR_MESH_CONNECT", maybeExecuted: false }));
  });

  it("of a TLS server that is called without TLS is the instance's", async () => {
    // It answers a plaintext request with an alert, or just closes.
    const server = await serveRaw((socket) => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 70])));
    expect(await rejectionOf(meshOf({ orders: server.port }, { retry: false }).fetch("orders/x"))).toMatchObject({
      code: "ERR_MESH_PROTOCOL",
    });
  });

  it("leaves 103 and other early hints out", async () => {
    const server = await serve((_request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeProcessing();
      setTimeout(() => response.writeHead(201, { "x-a": "1" }).end("done"), 5);
    });
    const response = await meshOf({ orders: server.port }).fetch("orders/x");
    expect([response.status, response.headers.get("link"), response.headers.get("x-a"), await response.text()]).toEqual([
      201,
      null,
      "1",
      "done",
    ]);
  });

  it("does not reach the next caller: unrequested bytes close the connection", async () => {
    let requests = 0;
    const server = await serveRaw((socket) => {
      requests++;
      socket.write(
        `${ok}content-length: 2\r\n\r\n${requests === 1 ? "1." : "2."}${requests === 1 ? `${ok}content-length: 4\r\n\r\nevil` : ""}`,
      );
    });
    const mesh = meshOf({ orders: server.port }, { connections: { max: 1 } });
    expect(await (await mesh.fetch("orders/x")).text()).toBe("1.");
    const second = await mesh.fetch("orders/x").then((response) => response.text());
    expect(second).toBe("2.");
  });

  it("after a keep-alive connection was closed by the server costs no call anything", async () => {
    const server = await serveRaw((socket) => {
      socket.write(`${ok}content-length: 2\r\n\r\nok`);
      setTimeout(() => socket.destroy(), 5);
    });
    const mesh = meshOf({ orders: server.port }, { retry: false });
    for (let call = 0; call < 5; call++) {
      expect(await (await mesh.fetch("orders/x", { method: "POST" })).text()).toBe("ok");
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });

  it("is not a body whose reader is slow: only silence of the instance counts", async () => {
    const server = await serve((_request, response) => response.end(Buffer.alloc(4 * 1024 * 1024)));
    const mesh = meshOf({ orders: server.port }, { bodyIdleTimeoutMs: 100 });
    const reader = ((await mesh.fetch("orders/x")).body as ReadableStream<Uint8Array>).getReader();
    let size = (await reader.read()).value?.byteLength ?? 0;
    // undici counts in seconds.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      size += value.byteLength;
    }
    expect(size).toBe(4 * 1024 * 1024);
  });

  it("is none of the instance when a caller leaves bodies unread until the deadline", async () => {
    const server = await serve((_request, response) => response.end(Buffer.alloc(4 * 1024 * 1024)));
    const mesh = meshOf({ orders: server.port }, { timeoutMs: 700 });
    const responses = await Promise.all(Array.from({ length: 20 }, () => mesh.fetch("orders/x")));
    await until("every call is over", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 0);
    expect(mesh.explain("orders")).toMatchObject({ breaker: "closed", endpoints: [{ failures: 0, state: "available" }] });
    expect(await rejectionOf((responses[0] as Response).text())).toMatchObject({ code: "ERR_MESH_TIMEOUT", maybeExecuted: true });
  });

  it("of a host that is no address is a failed connection to that instance alone", async () => {
    const good = await serve((_request, response) => response.end("good"));
    const mesh = meshOf(
      {},
      {
        discovery: {
          watch: async function* () {
            yield [
              { id: "bad", host: "::1%lo", port: 80 },
              { id: "good", host: "127.0.0.1", port: good.port },
            ];
          },
        },
      },
    );
    for (let call = 0; call < 4; call++) expect(await (await mesh.fetch("orders/x", { method: "POST" })).text()).toBe("good");
    const endpoints = mesh.explain("orders")?.endpoints ?? [];
    for (const { address, failures } of endpoints) expect(failures).toBe(address.includes("%") ? 1 : 0);
  });
});
