import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import Fastify from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { gateway } from "../../../../src/gateway/gateway.ts";
import { createMesh, type Mesh, type MeshOptions, roundRobin, staticDiscovery } from "../../../../src/index.ts";
import { serve } from "../../../../src/server/server.ts";
import { doors } from "../../../support/doors.ts";
import { ask, guarded, served } from "../served.ts";

/** An instance that is called while a request is served. */
async function backend(listener: RequestListener = (_request, response) => void response.end("ok")): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function meshOf(...ports: readonly number[]): Mesh {
  return routedMesh(ports);
}

function routedMesh(ports: readonly number[], routes?: MeshOptions["routes"]): Mesh {
  const [slow = 0] = ports.slice(-1);
  const discovery = staticDiscovery({
    svc: ports.map((port) => ({ host: "127.0.0.1", port })),
    slow: [{ host: "127.0.0.1", port: slow }],
    none: [],
  });
  const mesh = createMesh({ discovery, picker: roundRobin(), retry: { baseDelayMs: 1 }, ...(routes && { routes }) });
  onTestFinished(() => mesh.close());
  return mesh;
}

/** Takes lines; `next` gives the newest one. */
function taken() {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(...text.split("\n").filter((line) => line !== ""));
  const line = async (count = 1): Promise<string> => {
    await expect.poll(() => lines.length).toBe(count);
    return lines.at(-1) ?? "";
  };
  const json = async (count = 1) => JSON.parse(await line(count)) as Record<string, unknown>;
  return { lines, write, line, json };
}

const failing =
  (status: number): RequestListener =>
  (_request, response) =>
    void response.writeHead(status).end("no");

describe("the calls made while a request is served", () => {
  test.each(["fetch", "request", "dispatcher"] as const)("are in its line, by %s", async (door) => {
    const port = await backend();
    const mesh = meshOf(port);
    const { write, json } = taken();
    const front = await guarded({ mesh, accessLog: { write } }, async (_request, response) => {
      await doors[door](mesh);
      response.end("done");
    });
    await ask(front.port);
    expect(await json()).toMatchObject({
      status: 200,
      upstreams: [{ service: "svc", instance: `127.0.0.1:${port}`, status: 200, attempts: 1, ms: expect.any(Number) }],
    });
  });

  test.each(["serve", "express", "fastify"] as const)("are in its line, behind %s", async (framework) => {
    const mesh = meshOf(await backend());
    const { write, json } = taken();
    const call = async (): Promise<string> => await (await mesh.fetch("svc/")).text();
    const options = { mesh, signals: [], lameDuckMs: 0, log: false, inbound: { accessLog: { write } } } as const;
    let port: number;
    if (framework === "fastify") {
      const application = Fastify();
      application.post("/", () => call());
      const serving = serve(application, options);
      onTestFinished(async () => void (await serving.stop()));
      port = Number(new URL(await application.listen({ port: 0, host: "127.0.0.1" })).port);
    } else if (framework === "express") {
      const application = express();
      application.use(express.json());
      application.post("/", async (_request, response) => void response.send(await call()));
      const server = application.listen(0, "127.0.0.1");
      const serving = serve(server, options);
      onTestFinished(async () => void (await serving.stop()));
      await serving.started;
      port = (server.address() as AddressInfo).port;
    } else {
      const front = await served(options, (request, response) => {
        request.resume().on("end", async () => response.end(await call()));
      });
      port = front.port;
    }
    await ask(port, { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } });
    expect(await json()).toMatchObject({ upstreams: [{ service: "svc", status: 200 }] });
  });

  test("have the rule of the routes that decided on them, and its target; behind a gateway too, and where the rule answers itself", async () => {
    const v1 = { name: "v1", service: "svc", weight: 1 };
    const v2 = { name: "v2", service: "svc", weight: 0 };
    const routes = [
      { name: "gone", match: { path: { exact: "/gone" } }, respond: { status: 410 } },
      { name: "halves", match: { path: { exact: "/halves" } }, split: { targets: [v1, v2] } },
    ];
    const mesh = routedMesh([await backend()], routes);
    const { write, json } = taken();
    const proxy = gateway(mesh, { service: "svc" });
    const front = await guarded({ mesh, accessLog: { write } }, proxy.handle);
    await ask(front.port, { path: "/halves" });
    expect(await json()).toMatchObject({ status: 200, upstreams: [{ service: "svc", route: "halves", target: "v1", status: 200 }] });
    await ask(front.port, { path: "/gone" });
    expect(await json(2)).toMatchObject({ status: 410, upstreams: [{ service: "svc", route: "gone" }] });
    await ask(front.port, { path: "/else" });
    const { upstreams } = await json(3);
    expect(upstreams).toMatchObject([{ service: "svc", status: 200 }]);
    expect((upstreams as object[])[0]).not.toHaveProperty("route");
  });

  test("have their attempts, failures, and what is still under way", async () => {
    const some: RequestListener = (request, response) => void (request.url === "/slow" ? response.write("begun") : response.end("ok"));
    const [bad, good] = [await backend(failing(503)), await backend(some)];
    const mesh = meshOf(bad, good);
    const { write, json } = taken();
    const front = await guarded({ mesh, accessLog: { write } }, async (_request, response) => {
      await (await mesh.fetch("svc/a")).text();
      await (await mesh.fetch("svc/b")).text();
      await mesh.fetch("none/").catch(() => {});
      const aborted = new AbortController();
      const given = mesh.fetch("slow/slow", { signal: aborted.signal }).catch(() => {});
      aborted.abort();
      await given;
      await mesh.fetch("slow/slow");
      response.end("done");
    });
    await ask(front.port);
    const { upstreams } = (await json()) as { upstreams: Record<string, unknown>[] };
    expect(upstreams.map(({ service, attempts }) => [service, attempts])).toEqual([
      ["svc", expect.any(Number)],
      ["svc", expect.any(Number)],
      ["none", 0],
      ["slow", expect.any(Number)],
      ["slow", 1],
    ]);
    // One of the two met the instance that refuses, and was repeated.
    expect(upstreams.slice(0, 2)).toContainEqual({
      service: "svc",
      instance: `127.0.0.1:${good}`,
      status: 200,
      attempts: 2,
      ms: expect.any(Number),
    });
    expect(upstreams[2]).toMatchObject({ error: "ERR_MESH_NO_ENDPOINTS" });
    expect(upstreams[3]).toMatchObject({ cancelled: true });
    expect(upstreams[4]).toMatchObject({ status: 200, pending: true });
  });

  test("are those of the request alone, however many are served at once", async () => {
    const mesh = meshOf(await backend());
    const { write, lines } = taken();
    const front = await guarded({ mesh, accessLog: { write, maxUpstreams: 3 } }, async (request, response) => {
      const count = Number(request.url?.slice(1));
      for (let call = 0; call < count; call++) await (await mesh.fetch("svc/")).text();
      response.end("done");
    });
    await Promise.all([0, 1, 2, 3, 4, 5, 6].map((count) => ask(front.port, { path: `/${count}` })));
    await (await mesh.fetch("svc/")).text();
    await expect.poll(() => lines.length).toBe(7);
    for (const line of lines) {
      const { target, upstreams, moreUpstreams } = JSON.parse(line) as Record<string, unknown> & { target: string; upstreams?: unknown[] };
      const count = Number(target.slice(1));
      expect([upstreams?.length ?? 0, moreUpstreams ?? 0]).toEqual([Math.min(3, count), Math.max(0, count - 3)]);
    }
  });

  test("are noted once where two servers share a mesh, and not for a request that has ended", async () => {
    const mesh = meshOf(await backend());
    const [one, two] = [taken(), taken()];
    const late = Promise.withResolvers<void>();
    const calls: Promise<unknown>[] = [];
    const first = await guarded({ mesh, accessLog: { write: one.write } }, async (_request, response) => {
      await (await mesh.fetch("svc/")).text();
      calls.push(late.promise.then(async () => await (await mesh.fetch("svc/")).text()));
      response.end("done");
    });
    await guarded({ mesh, accessLog: { write: two.write } });
    await ask(first.port);
    expect(await one.json()).toMatchObject({ upstreams: [{ service: "svc" }] });
    late.resolve();
    await Promise.all(calls);
    expect(two.lines).toEqual([]);
  });

  test("cost nothing where they are not logged", async () => {
    const observers: unknown[] = [];
    const observe = (observer: unknown) => {
      observers.push(observer);
      return () => void observers.splice(observers.indexOf(observer), 1);
    };
    await guarded({ mesh: { observe }, accessLog: false });
    await guarded({ mesh: { observe }, accessLog: { write() {}, maxUpstreams: 0 } });
    await guarded({ mesh: { observe }, accessLog: { write() {}, format: "combined" } });
    expect(observers).toEqual([]);
    const { guard } = await guarded({ mesh: { observe }, accessLog: { write() {} } });
    expect(observers).toHaveLength(1);
    await guard.close();
    expect(observers).toEqual([]);
  });
});

test('the form "combined-upstream" has them as nginx does, after request time', async () => {
  const [bad, good] = [await backend(failing(503)), await backend()];
  const mesh = meshOf(bad, good);
  const { write, line, lines } = taken();
  const front = await guarded({ mesh, accessLog: { format: "combined-upstream", write } }, async (request, response) => {
    if (request.url !== "/none") for (const path of ["a", "b"]) await (await mesh.fetch(`svc/${path}`)).text();
    response.end("ok");
  });
  await ask(front.port);
  const [address, seconds] = [`127\\.0\\.0\\.1:${good}`, "\\d+\\.\\d{3}"];
  const retried = `127\\.0\\.0\\.1:${bad}, ${address}`;
  expect(await line()).toMatch(
    new RegExp(
      `^127\\.0\\.0\\.1 - - \\[[^\\]]+\\] "GET / HTTP/1\\.1" 200 2 "-" "-" ${seconds} "(${retried} : ${address}|${address} : ${retried})" ` +
        `"(503, 200 : 200|200 : 503, 200)" "(${seconds}[ ,:]*){3}"$`,
    ),
  );
  await ask(front.port, { path: "/none" });
  expect(await line(2)).toMatch(/ \d\.\d{3} "-" "-" "-"$/);
  expect(lines).toHaveLength(2);
});
