import type { RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { isMeshError } from "../../src/core/errors.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const tooLarge = 'the response of "orders" is larger than 1000 bytes (maxResponseBytes)';

async function rig(answer: RequestListener) {
  const server = await serve(answer);
  const ended: unknown[] = [];
  const observers = [
    { onCall: () => ({ onEnd: ({ error, cancelled }: { error: unknown; cancelled: boolean }) => ended.push([error, cancelled]) }) },
  ];
  const mesh = meshOf({ orders: server.port }, { maxResponseBytes: 1_000, observers });
  return { server, mesh, ended };
}

/** Sends `bytes` bytes in chunks of 100, without a content-length. */
const chunked =
  (bytes: number): RequestListener =>
  (_request, response) => {
    for (let sent = 0; sent < bytes; sent += 100) response.write("x".repeat(Math.min(100, bytes - sent)));
    response.end();
  };

describe("maxResponseBytes", () => {
  it("lets a body of just so many bytes pass, read in whichever way", async () => {
    const { mesh } = await rig(chunked(1_000));
    expect(await (await mesh.fetch("orders/")).text()).toHaveLength(1_000);
    expect((await (await mesh.fetch("orders/")).arrayBuffer()).byteLength).toBe(1_000);
    let bytes = 0;
    for await (const chunk of (await mesh.fetch("orders/")).body ?? []) bytes += chunk.byteLength;
    expect(bytes).toBe(1_000);
    expect(await (await mesh.request("orders/")).body.text()).toHaveLength(1_000);
  });

  it("refuses a larger one at its head where content-length says so, and closes its connection", async () => {
    const { server, mesh } = await rig((_request, response) => response.writeHead(200, { "content-length": 1_001 }).write("x"));
    const error = await rejectionOf(mesh.fetch("orders/"));
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", message: tooLarge, maybeExecuted: true, attempts: [{ status: 200 }] });
    await until("the connection is closed", () => server.abandoned === 1);
  });

  it("gives a body without a length up with the first byte too many, and closes its connection", async () => {
    const { server, mesh, ended } = await rig((request, response) => {
      chunked(1_001)(request, Object.assign(response, { end: () => response }) as never);
    });
    const response = await mesh.fetch("orders/");
    const error = await rejectionOf(response.text());
    expect(error).toMatchObject({ code: "ERR_MESH_BODY", message: tooLarge });
    await until("the connection is closed", () => server.abandoned === 1);
    // Its observers are told of an error, not of a caller that lost interest.
    expect(ended).toEqual([[error, false]]);
  });

  it("blames no instance, and leaves no attempt in flight", async () => {
    const { mesh } = await rig(chunked(5_000));
    for (let call = 0; call < 30; call++) {
      const error = await rejectionOf((await mesh.fetch("orders/")).bytes());
      expect(isMeshError(error) && error.code).toBe("ERR_MESH_BODY");
    }
    await until("no attempt is in flight", () => mesh.explain("orders")?.endpoints[0]?.inFlight === 0);
    expect(mesh.explain("orders")?.endpoints[0]).toMatchObject({ state: "available", failures: 0, attempts: 30 });
  });

  it("asks nothing of a 304's content-length, which is that of another response", async () => {
    const { mesh } = await rig((_request, response) => response.writeHead(304, { "content-length": 5_000 }).end());
    expect((await mesh.fetch("orders/", { headers: { "if-none-match": "1" } })).status).toBe(304);
  });

  it("may differ from service to service, and asks nothing of a HEAD's content-length", async () => {
    const { port } = await serve((request, response) =>
      response.writeHead(200, { "content-length": 5_000 }).end(request.method === "HEAD" ? "" : "x".repeat(5_000)),
    );
    const mesh = meshOf({ orders: port, users: port }, { maxResponseBytes: 10, services: { users: { maxResponseBytes: 5_000 } } });
    expect((await mesh.fetch("orders/", { method: "HEAD" })).status).toBe(200);
    expect(await (await mesh.fetch("users/")).text()).toHaveLength(5_000);
    await expect(mesh.fetch("orders/")).rejects.toThrow("larger than 10 bytes");
  });

  it("is checked when the mesh is made", () => {
    for (const wrong of [-1, 1.5, "1kB", Number.NaN])
      expect(() => createMesh({ discovery: staticDiscovery({}), maxResponseBytes: wrong as number })).toThrow(/^maxResponseBytes must be/);
  });
});
