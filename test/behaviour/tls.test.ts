import { createServer, type Server } from "node:https";
import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { certificate } from "../support/certificate.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

async function serveTls(options: object = {}): Promise<{ readonly port: number; readonly server: Server; accepted: number; seen: number }> {
  const state = { port: 0, server: undefined as unknown as Server, accepted: 0, seen: 0 };
  state.server = createServer({ ...certificate, ...options }, (_request, response) => {
    state.seen++;
    response.end("secret");
  });
  state.server.on("secureConnection", () => state.accepted++);
  state.server.on("tlsClientError", () => {});
  state.port = await listening(state.server);
  return state;
}

function meshTo(endpoints: readonly Omit<Endpoint, "id">[], options: Partial<MeshOptions> = {}) {
  return closing(
    createMesh({
      discovery: {
        async *watch() {
          yield endpoints.map((endpoint, index) => ({ id: String(index), ...endpoint }));
        },
      },
      drainTimeoutMs: 0,
      ...options,
    }),
  );
}

const host = "127.0.0.1";

describe("an instance that speaks TLS", () => {
  it("is called when its certificate is trusted, over connections that stay", async () => {
    const server = await serveTls();
    const mesh = meshTo([{ host, port: server.port, secure: true }], { tls: { ca: certificate.cert }, connections: { max: 1 } });
    for (let call = 0; call < 5; call++) expect(await (await mesh.fetch("orders/x")).text()).toBe("secret");
    expect(server.accepted).toBe(1);
  });

  it("is refused before one byte is sent when no trusted authority vouches for its certificate, and the call goes elsewhere", async () => {
    const server = await serveTls();
    const plain = await serve((_request, response) => response.end("plain"));
    const alone = meshTo([{ host, port: server.port, secure: true }], { retry: false });
    expect(await rejectionOf(alone.fetch("orders/x", { method: "POST", body: "x" }))).toMatchObject({
      code: "ERR_MESH_TLS_PEER",
      maybeExecuted: false,
      attempts: [{ phase: "connect", code: "DEPTH_ZERO_SELF_SIGNED_CERT" }],
    });
    const both = meshTo([
      { host, port: server.port, secure: true },
      { host, port: plain.port },
    ]);
    for (let call = 0; call < 4; call++) expect(await (await both.fetch("orders/x", { method: "POST" })).text()).toBe("plain");
    expect(both.explain("orders")?.endpoints).toMatchObject([
      { state: "ejected", failures: 1 },
      { state: "available", failures: 0 },
    ]);
    expect(server.seen).toBe(0);
  });

  it("is refused when its certificate is another's", async () => {
    const server = await serveTls();
    const trusting = { tls: { ca: certificate.cert, serverName: "users.test" }, retry: false } as const;
    expect(await rejectionOf(meshTo([{ host, port: server.port, secure: true }], trusting).fetch("orders/x"))).toMatchObject({
      code: "ERR_MESH_TLS_PEER",
      maybeExecuted: false,
      attempts: [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }],
    });
    const named = { tls: { ca: certificate.cert, serverName: "eureka.test" } };
    expect((await meshTo([{ host, port: server.port, secure: true }], named).fetch("orders/x")).status).toBe(200);
    expect(server.seen).toBe(1);
  });

  it("that is called without TLS fails as an instance that speaks no HTTP", async () => {
    const server = await serveTls();
    expect(await rejectionOf(meshTo([{ host, port: server.port }], { retry: false }).fetch("orders/x"))).toMatchObject({
      code: "ERR_MESH_PROTOCOL",
    });
    expect(server.seen).toBe(0);
  });

  it("does not exist where plain HTTP is spoken: no connection", async () => {
    const server = await serve();
    const error = await rejectionOf(
      meshTo([{ host, port: server.port, secure: true }], { retry: false }).fetch("orders/x", { method: "POST" }),
    );
    expect(error).toMatchObject({ maybeExecuted: false, attempts: [{ phase: "connect" }] });
    expect(server.seen).toEqual([]);
  });

  it("that wants a certificate of its caller gets the mesh's, and may refuse one that has none", async () => {
    const server = await serveTls({ requestCert: true, ca: certificate.cert });
    const known = meshTo([{ host, port: server.port, secure: true }], { tls: { ca: certificate.cert, ...certificate } });
    expect(await (await known.fetch("orders/x")).text()).toBe("secret");
    const stranger = meshTo([{ host, port: server.port, secure: true }], {
      tls: { ca: certificate.cert },
      retry: false,
      attemptTimeoutMs: 2_000,
    });
    const error = await rejectionOf(stranger.fetch("orders/x", { method: "POST" }));
    // TLS 1.3 refuses after the client has begun to write: whether it was executed cannot be known.
    expect(error).toMatchObject({ name: "MeshError", code: "ERR_MESH_PROTOCOL", maybeExecuted: true });
    await until("the server has seen one request only", () => server.seen === 1);
  });
});

describe("the option tls", () => {
  it.each([
    ["ca", { ca: "no PEM" }],
    ["a key without its certificate", { cert: certificate.cert, key: "no key" }],
  ])("with a wrong %s is refused when the mesh is made", (_name, tls) => {
    expect(() => createMesh({ discovery: { async *watch() {} }, tls })).toThrow(/tls/);
  });
});
