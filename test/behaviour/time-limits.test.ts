import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { MeshError } from "../../src/core/errors.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serveRaw } from "../support/servers.ts";

/** Reads each request and says nothing. */
const silent = (_socket: Socket): void => {};
const stalls = (socket: Socket): void => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");

/** The error of a call to an instance that answers requests with `onRequest`, and does not shake hands for TLS. */
async function errorOf(
  options: Partial<MeshOptions>,
  init: Parameters<ReturnType<typeof meshOf>["fetch"]>[1] = {},
  onRequest: typeof silent = silent,
): Promise<MeshError> {
  const { port } = await serveRaw(onRequest);
  const mesh = meshOf({ orders: port }, { retry: false, ...options });
  return (await rejectionOf(mesh.fetch("orders/x", init).then((response) => response.text()))) as MeshError;
}

/** As {@link errorOf}, of an instance that is listed as one that speaks TLS and never completes a handshake. */
async function connectErrorOf(options: Partial<MeshOptions>): Promise<MeshError> {
  const { port } = await serveRaw(silent);
  const discovery = {
    async *watch() {
      yield [{ id: "a", host: "127.0.0.1", port, secure: true }];
    },
  };
  return (await rejectionOf(meshOf({}, { discovery, retry: false, ...options }).fetch("orders/x"))) as MeshError;
}

/** The limits that can end a call, and how the message names them. */
const limits: Readonly<Record<string, { readonly run: () => Promise<MeshError>; readonly code?: string; readonly says: string }>> = {
  timeoutMs: { run: () => errorOf({ timeoutMs: 30 }), says: "within the deadline of 30 ms (timeoutMs)" },
  "the call's own timeoutMs": {
    run: () => errorOf({ timeoutMs: 500 }, { mesh: { timeoutMs: 30 } }),
    says: "within the deadline of 30 ms (mesh.timeoutMs of the call)",
  },
  "timeoutMs, after the response head": {
    run: () => errorOf({ timeoutMs: 60 }, {}, stalls),
    says: "within the deadline of 60 ms (timeoutMs)",
  },
  "the deadline of the caller": {
    run: () => continueFrom({ "x-mesh-deadline-ms": "40" }, () => errorOf({})),
    says: "(x-mesh-deadline-ms: the caller that this process is answering waits no longer)",
  },
  attemptTimeoutMs: { run: () => errorOf({ attemptTimeoutMs: 30 }), says: "within 30 ms (attemptTimeoutMs)" },
  "the call's own attemptTimeoutMs": {
    run: () => errorOf({ attemptTimeoutMs: 500 }, { mesh: { attemptTimeoutMs: 30 } }),
    says: "within 30 ms (mesh.attemptTimeoutMs of the call)",
  },
  bodyIdleTimeoutMs: {
    run: () => errorOf({ bodyIdleTimeoutMs: 50 }, {}, stalls),
    says: "no byte of the body arrived for too long (bodyIdleTimeoutMs)",
  },
  "connections.connectTimeoutMs": {
    run: () => connectErrorOf({ connections: { connectTimeoutMs: 30 } }),
    code: "ERR_MESH_CONNECT",
    says: "no connection within 30 ms (connections.connectTimeoutMs)",
  },
  "connections.connectTimeoutMs, by default": {
    run: () => connectErrorOf({}),
    code: "ERR_MESH_CONNECT",
    says: "no connection within 1000 ms (connections.connectTimeoutMs)",
  },
  "timeoutMs, of an upgrade": {
    run: async () => {
      const { port } = await serveRaw(silent);
      const dispatcher = meshOf({ orders: port }, { timeoutMs: 40 }).dispatcher();
      return (await rejectionOf(dispatcher.upgrade({ origin: "http://orders", path: "/", protocol: "echo" } as never))) as MeshError;
    },
    says: "within the deadline of 40 ms (timeoutMs)",
  },
};

describe("the error of a time limit", () => {
  it.each(Object.entries(limits))("names the limit: %s", async (_limit, { run, code = "ERR_MESH_TIMEOUT", says }) => {
    const error = await run();
    expect(error).toMatchObject({ name: "MeshError", code, message: expect.stringContaining(says) });
  });

  it("names the limit of the last attempt where all ran into one", async () => {
    const error = await errorOf({ attemptTimeoutMs: 30, retry: { maxAttempts: 2, baseDelayMs: 0 } });
    expect(error).toMatchObject({
      code: "ERR_MESH_RETRY_EXHAUSTED",
      message: expect.stringContaining("within 30 ms (attemptTimeoutMs)"),
      cause: { code: "ERR_MESH_TIMEOUT" },
    });
  });
});
