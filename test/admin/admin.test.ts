import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { admin, type MeshSnapshot, type ServiceSnapshot } from "../../src/admin/admin.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { closedPort, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { adminOf, ask, change, token } from "./support.ts";

async function json<Value>(url: string): Promise<Value> {
  const { status, text } = await ask(url);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Value;
}

/** Until the second in which calls were made is over and counts. */
async function counted(url: string, service: string): Promise<ServiceSnapshot> {
  let snapshot: ServiceSnapshot | undefined;
  await until("a second has passed", async () => {
    snapshot = await json<ServiceSnapshot>(`${url}api/services/${encodeURIComponent(service)}`);
    return snapshot.rps > 0;
  });
  return snapshot as ServiceSnapshot;
}

describe("the API of the admin server", () => {
  it("tells of each service what was called, what succeeded and how long it took", async () => {
    const good = await serve((_request, response) => void setTimeout(() => response.end("x"), 20));
    const bad = await serve((_request, response) => void response.writeHead(503).end());
    const mesh = meshOf(
      { orders: [good.port, await closedPort()], reports: bad.port },
      { breaker: { breakMs: 60_000, maxBreakMs: 60_000 } },
    );
    const { url } = await adminOf(mesh);
    for (let call = 0; call < 10; call++) await (await mesh.fetch("orders/1")).text();
    await (await mesh.fetch("reports/all", { method: "POST" })).text();
    await counted(url, "orders");
    await counted(url, "reports");
    const { version, process: told, services } = await json<MeshSnapshot>(`${url}api/mesh`);
    expect(version).toBe(1);
    expect(told).toMatchObject({ pid: process.pid, node: process.version, zone: null, certificateExpiresAtMs: null });
    expect(services.map(({ service }) => service)).toEqual(["orders", "reports"]);
    const [orders, reports] = services;
    expect(orders).toMatchObject({
      success: { effective: 1 },
      endpoints: { available: 1, ejected: 1, probing: 0, unhealthy: 0 },
      breaker: "closed",
      secured: "none",
      concurrency: null,
      dashboardUrl: null,
      panicking: false,
    });
    expect(orders?.success.actual).toBeLessThan(1);
    expect(orders?.success.actual).toBeGreaterThan(0.5);
    expect(orders?.retriesPerS).toBeGreaterThan(0);
    expect(orders?.attemptsPerS).toBeGreaterThan(orders?.rps as number);
    expect(orders?.latencyMs?.p50).toBeGreaterThan(15);
    expect(orders?.instances).toHaveLength(2);
    expect(orders?.instances?.find(({ state }) => state === "ejected")).toMatchObject({ success: 0, state: "ejected", secure: false });
    expect(reports).toMatchObject({ success: { effective: 0, actual: 0 } });
  });

  it("tells of each endpoint why it is, or is not, chosen, who is out first", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: [server.port, await closedPort()] });
    const { url } = await adminOf(mesh);
    for (let call = 0; call < 4; call++) await (await mesh.fetch("orders/1")).text();
    const { endpointRows, endpointsFound, canChange } = await json<ServiceSnapshot>(`${url}api/services/orders`);
    expect({ endpointsFound, canChange }).toEqual({ endpointsFound: 2, canChange: false });
    expect(endpointRows[0]).toMatchObject({
      state: "ejected",
      candidate: false,
      share: null,
      reason: expect.stringContaining("connection refused"),
      ejection: { rule: "connection refused", sinceMs: expect.any(Number), untilMs: expect.any(Number) },
      failures: 1,
      failureRatio: 1,
      shareGot: 0.2,
      shareMeant: null,
    });
    expect(endpointRows[1]).toMatchObject({
      state: "available",
      candidate: true,
      share: 1,
      shareGot: 0.8,
      shareMeant: 1,
      failureRatio: 0,
      avoided: null,
      picker: { cost: expect.any(Number), latencyMs: expect.any(Number), waitingMs: 0, load: 1, penaltyMs: 0 },
      reason: "in rotation",
      ejection: null,
      healthCheck: null,
    });
  });

  it("gives the endpoints that are asked for", async () => {
    const list = Array.from({ length: 25 }, (_, index) => ({
      id: `i${index}`,
      host: "127.0.0.1",
      port: 1_000 + index,
      zone: index < 5 ? "a" : "b",
    }));
    const mesh = closing(createMesh({ discovery: staticDiscovery({ orders: list }) }));
    await mesh.warm("orders");
    const { url } = await adminOf(mesh, { token });
    mesh.eject("orders", "i7", { forMs: 60_000 });
    const ids = async (query: string) =>
      (await json<ServiceSnapshot>(`${url}api/services/orders?${query}`)).endpointRows.map(({ id }) => id);
    expect(await ids("limit=3")).toEqual(["i7", "i0", "i1"]);
    expect(await ids("limit=2&offset=3")).toEqual(["i2", "i3"]);
    expect(await ids("state=ejected")).toEqual(["i7"]);
    expect(await ids("state=unhealthy")).toEqual([]);
    expect(await ids("find=I2")).toEqual(["i2", "i20", "i21", "i22", "i23", "i24"]);
    expect(await ids("find=operator")).toEqual(["i7"]);
    expect((await json<ServiceSnapshot>(`${url}api/services/orders?find=i2&limit=1`)).endpointsFound).toBe(6);
    expect(await ids("limit=0")).toEqual([]);
    // More than eight are not told with their service.
    expect((await json<MeshSnapshot>(`${url}api/mesh`)).services[0]?.instances).toBeNull();
    for (const wrong of ["limit=x", "offset=-1", "since=1e9", "state=broken"])
      expect((await ask(`${url}api/services/orders?${wrong}`)).status).toBe(400);
  });

  it("keeps the last fifty errors with their attempts, and no query, header, body or foreign message", async () => {
    const server = await serve((_request, response) => void response.writeHead(500).end());
    const dead = await closedPort();
    const mesh = meshOf(
      { orders: server.port, gone: dead },
      {
        interceptors: [
          (next) => (request) => {
            if (request.path.startsWith("/thrown")) throw new Error("canary-foreign");
            return next(request);
          },
        ],
      },
    );
    const { url } = await adminOf(mesh);
    for (let call = 0; call < 60; call++)
      await (await mesh.fetch(`orders/${call}?token=canary-query`, { headers: { authorization: "canary-header" } })).text();
    await mesh.fetch("orders/thrown", { method: "POST", body: "canary-body" }).catch(() => {});
    await mesh.fetch("gone/x?token=canary-query", { headers: { cookie: "canary-header" } }).catch(() => {});
    const { text } = await ask(`${url}api/services/orders`);
    const { errors } = JSON.parse(text) as ServiceSnapshot;
    expect(errors).toHaveLength(50);
    expect(errors[0]).toMatchObject({ method: "POST", path: "/thrown", code: "Error", status: null, attempts: [] });
    expect(errors[1]).toMatchObject({
      path: "/59?…",
      code: null,
      status: 500,
      message: "answered 500",
      maybeExecuted: true,
      attempts: [{ endpoint: `127.0.0.1:${server.port}`, phase: "body", status: 500, code: null, ms: expect.any(Number) }],
    });
    const gone = (await json<ServiceSnapshot>(`${url}api/services/gone`)).errors;
    expect(gone[0]).toMatchObject({ code: "ERR_MESH_RETRY_EXHAUSTED", maybeExecuted: false });
    expect(gone[0]?.attempts[0]).toMatchObject({ phase: "connect", code: "ECONNREFUSED", status: null });
    expect(text + (await ask(`${url}api/services/gone`)).text).not.toContain("canary");
  });

  it("does not count what the caller has given up", async () => {
    const server = await serve(() => {});
    const mesh = meshOf({ orders: server.port });
    const { url } = await adminOf(mesh);
    const given = new AbortController();
    const call = mesh.fetch("orders/1", { signal: given.signal }).catch(() => "given up");
    await until("it has arrived", () => server.begun.length === 1);
    given.abort();
    expect(await call).toBe("given up");
    const { success, errors } = await json<ServiceSnapshot>(`${url}api/services/orders`);
    expect({ success, errors }).toEqual({ success: { effective: null, actual: null }, errors: [] });
  });

  it("knows services that were called before it was there, and says of others that they were not called", async () => {
    const server = await serve();
    const mesh = closing(createMesh({ discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: server.port, secure: false }] }) }));
    await (await mesh.fetch("orders/1")).text();
    const { url } = await adminOf(mesh, { dashboardUrl: "http://127.0.0.1:3000/d/x?var-service={service}" });
    expect((await json<MeshSnapshot>(`${url}api/mesh`)).services[0]).toMatchObject({
      service: "orders",
      rps: 0,
      latencyMs: null,
      success: { effective: null, actual: null },
      dashboardUrl: "http://127.0.0.1:3000/d/x?var-service=orders",
    });
    for (const path of ["api/services/users", "api/services/__proto__", "api/services/%zz", "api/nothing", "nothing", "api/services/"]) {
      expect((await ask(url + path)).status, path).toBe(404);
    }
  });

  it("sends a snapshot each second for as long as somebody listens", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    const { url } = await adminOf(mesh);
    await (await mesh.fetch("orders/1")).text();
    const response = await fetch(`${url}api/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    while (!text.includes("id: 3")) text += Buffer.from((await reader.read()).value ?? []).toString();
    await reader.cancel();
    expect(text).toMatch(/^retry: 1000\n\nevent: mesh\nid: 1\ndata: \{"version":1,/);
    const events = text.split("\n\n").filter((event) => event.startsWith("event: mesh") && event.includes("data: ") && event.endsWith("}"));
    const snapshots = events.map((event) => JSON.parse(event.slice(event.indexOf("data: ") + 6)) as MeshSnapshot);
    expect(snapshots.at(0)?.services[0]?.service).toBe("orders");
    expect((snapshots.at(1)?.atMs ?? 0) - (snapshots.at(0)?.atMs ?? 0)).toBeGreaterThan(900);
  });
});

describe("the admin server", () => {
  it("answers GET and HEAD for what is read, POST alone for changes, and everything else with 405", async () => {
    const mesh = meshOf({ orders: 1 });
    const { url } = await adminOf(mesh, { token });
    for (const path of ["", "api/mesh", "healthz", "api/services/orders", "api/events"]) {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
        const { status, headers } = await ask(url + path, { method });
        expect({ path, method, status, allow: headers["allow"] }).toEqual({ path, method, status: 405, allow: "GET, HEAD" });
      }
    }
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const { status, headers } = await ask(`${url}api/services/orders/eject`, { method, headers: { authorization: `Bearer ${token}` } });
      expect({ method, status, allow: headers["allow"] }).toEqual({ method, status: 405, allow: "POST" });
    }
    expect(await ask(`${url}healthz`)).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await ask(`${url}healthz`, { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
    expect(await ask(`${url}api/events`, { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  it("serves the page with headers that let it load nothing from elsewhere", async () => {
    const { url } = await adminOf(meshOf({}));
    for (const path of ["", "page.js", "page.css", "icon.svg", "api/mesh", "nothing"]) {
      const { headers } = await ask(url + path);
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": expect.stringMatching(/^default-src 'self';.*frame-ancestors 'none'/),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
    const html = (await ask(url)).text;
    expect(html).toContain("<title>inmesh</title>");
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/<script(?![^>]* src=)/);
  });

  it("refuses requests for another host name, which a foreign page may have made point here", async () => {
    const { url } = await adminOf(meshOf({}), { allowedHosts: ["Mesh.Internal"] });
    const { port } = new URL(url);
    const status = async (host: string) => (await ask(`${url}api/mesh`, { headers: { host } })).status;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "LOCALHOST", `[::1]:${port}`, "mesh.internal:80"])
      expect(await status(host), host).toBe(200);
    for (const host of ["evil.test", `evil.test:${port}`, "127.0.0.1.evil.test", "localhost.", "mesh.internal.evil.test", "127.0.0.1:1:1"])
      expect(await status(host), host).toBe(403);
  });

  it("refuses request targets that are no path", async () => {
    const { url } = await adminOf(meshOf({}));
    const { port } = new URL(url);
    const raw = (target: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(port), "127.0.0.1", () =>
          socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`),
        );
        let text = "";
        socket.on("data", (chunk) => {
          text += chunk;
        });
        socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
        socket.on("error", () => {});
      });
    expect(await raw("/api/mesh")).toContain(" 200 ");
    expect(await raw("http://evil.test/api/mesh")).toContain(" 400 ");
    expect(await raw("//evil.test/api/mesh")).toContain(" 400 ");
    expect(await raw("/../../etc/passwd")).toContain(" 404 ");
    expect(await raw("/%2e%2e%2fpage.js")).toContain(" 404 ");
  });

  it("says so when the port is taken", async () => {
    const server = await serve();
    await expect(admin(meshOf({}), { port: server.port })).rejects.toThrow(
      `admin: port ${server.port} of 127.0.0.1 is taken: something listens there already; choose another port, or 0 for a free one (EADDRINUSE)`,
    );
  });

  it("ends when it is closed, when the mesh is, and twice", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    const first = await adminOf(mesh);
    const open = await fetch(`${first.url}api/events`);
    await Promise.all([first.close(), first.close()]);
    await expect(fetch(first.url)).rejects.toThrow();
    await expect(
      (open.body as ReadableStream)
        .getReader()
        .read()
        .then(async () => open.text()),
    ).rejects.toThrow();
    // The mesh goes on, unobserved.
    expect((await mesh.fetch("orders/1")).status).toBe(200);
    const second = await adminOf(mesh);
    const listening = await fetch(`${second.url}api/events`);
    await mesh.close();
    await until("it is closed too", () =>
      fetch(second.url).then(
        () => false,
        () => true,
      ),
    );
    await listening.body?.cancel().catch(() => {});
  });

  it("is one of several of the same mesh", async () => {
    const mesh = meshOf({});
    const [one, other] = [await adminOf(mesh), await adminOf(mesh)];
    expect(one.url).not.toBe(other.url);
    await one.close();
    expect((await ask(`${other.url}api/mesh`)).status).toBe(200);
  });

  it("listens on IPv6's loopback too", async () => {
    const { url } = await adminOf(meshOf({}), { host: "::1" });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect((await ask(`${url}healthz`, { headers: { host: new URL(url).host } })).status).toBe(200);
  });

  it.each([
    [{ port: -1 }, RangeError, "admin: port must be from 0 to 65535, not -1"],
    [{ prot: 1 }, TypeError, 'admin has no option "prot"'],
    [{ host: "0.0.0.0" }, TypeError, "is no loopback address"],
    [{ host: "::" }, TypeError, "is no loopback address"],
    [{ host: "0.0.0.0", allowRemote: true }, TypeError, "It takes allowRemote: true and a token"],
    [{ host: "127.evil.test", token }, TypeError, "is no loopback address"],
    [{ token: "short" }, TypeError, "admin: token must be a string of at least 16 printable ASCII characters without spaces"],
    [{ token: "with a space in between" }, TypeError, "admin: token must be a string of at least 16"],
    [{ dashboardUrl: "javascript:alert(1)//{service}" }, TypeError, "admin: dashboardUrl must be a URL like"],
    [{ allowedHosts: "x" }, TypeError, "admin: allowedHosts must be an array of host names"],
  ])("refuses wrong options: %o", (options, type, message) => {
    const attempt = () => admin(meshOf({}), options as never);
    expect(attempt).toThrow(type);
    expect(attempt).toThrow(message);
  });

  it("names no token in its messages", () => {
    expect(() => admin(meshOf({}), { token: "canary" })).toThrow(/^(?!.*canary)/);
  });
});

describe("changes", () => {
  async function withOrders(options = {}) {
    const servers = [await serve(), await serve()];
    const mesh = meshOf({ orders: servers.map(({ port }) => port) });
    const { url } = await adminOf(mesh, { token, ...options });
    for (let call = 0; call < 4; call++) await (await mesh.fetch("orders/1")).text();
    return {
      mesh,
      url,
      endpoint: `127.0.0.1:${servers[0]?.port}`,
      eject: `${url}api/services/orders/eject`,
      readmit: `${url}api/services/orders/readmit`,
    };
  }
  const stateOf = (mesh: ReturnType<typeof meshOf>, id: string) =>
    mesh.explain("orders")?.endpoints.find(({ endpoint }) => endpoint.id === id)?.ejection;

  it("take an instance out for a time and put it back", async () => {
    const { mesh, eject, readmit, endpoint } = await withOrders();
    expect(await change(eject, { endpoint, forMs: 60_000 })).toMatchObject({ status: 200, text: '{"done":"eject"}' });
    expect(stateOf(mesh, endpoint)).toMatchObject({ rule: "operator" });
    expect(await change(readmit, { endpoint })).toMatchObject({ status: 200 });
    expect(stateOf(mesh, endpoint)).toBeUndefined();
    expect(await change(eject, { endpoint, forMs: 30 })).toMatchObject({ status: 200 });
    await until("it is back by itself", () => stateOf(mesh, endpoint) === undefined);
  });

  it("take the token, in a request of our own page or of none", async () => {
    const { mesh, url, eject, endpoint } = await withOrders();
    const { host } = new URL(url);
    const body = { endpoint, forMs: 60_000 };
    const status = async (headers: Record<string, string>) => (await change(eject, body, headers)).status;
    expect(await status({ authorization: "" })).toBe(401);
    expect(await status({ authorization: `Bearer ${token}x` })).toBe(401);
    expect(await status({ authorization: `Basic ${token}` })).toBe(401);
    expect(await status({ origin: "http://evil.test" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(await status({ origin: `http://127.0.0.1:1` })).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await status({ "content-type": "text/plain" })).toBe(415);
    expect(await status({ host: "evil.test" })).toBe(403);
    expect(stateOf(mesh, endpoint)).toBeUndefined();
    expect(await status({ origin: `http://${host}`, "sec-fetch-site": "same-origin" })).toBe(200);
  });

  it("are all refused without a configured token", async () => {
    const { mesh, eject, endpoint } = await withOrders({ token: undefined });
    for (const authorization of ["", "Bearer ", "Bearer undefined", `Bearer ${token}`])
      expect(await change(eject, { endpoint, forMs: 1_000 }, { authorization })).toMatchObject({ status: 403 });
    expect(stateOf(mesh, endpoint)).toBeUndefined();
  });

  it("say what is wrong with them", async () => {
    const { eject, readmit, url, endpoint } = await withOrders();
    const wrong = async (target: string, body: unknown) => {
      const { status, text } = await change(target, body);
      return [status, (JSON.parse(text) as { error: string }).error];
    };
    expect(await wrong(eject, "{")).toEqual([400, "the body is no JSON object"]);
    expect(await wrong(eject, "null")).toEqual([400, "the body is no JSON object"]);
    expect(await wrong(eject, { forMs: 5 })).toEqual([400, "endpoint must be the id of an endpoint"]);
    for (const forMs of [undefined, 0, -1, "5", 1e9, null]) expect((await wrong(eject, { endpoint, forMs }))[0]).toBe(400);
    expect(await wrong(eject, { endpoint: "x".repeat(5_000), forMs: 5 })).toEqual([400, "the body is longer than 4096 bytes"]);
    expect(await wrong(eject, { endpoint: "nobody", forMs: 5 })).toEqual([404, "there is no such endpoint"]);
    expect(await wrong(`${url}api/services/users/eject`, { endpoint, forMs: 5 })).toEqual([404, "there is no such endpoint"]);
    expect(await wrong(readmit, { endpoint: "nobody" })).toEqual([404, "there is no such endpoint"]);
  });

  it("do not hurt the server when the caller goes away in the middle of one", async () => {
    const { url } = await withOrders();
    const { port } = new URL(url);
    const head = `POST /api/services/orders/eject HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer ${token}\r\ncontent-length: 100\r\n\r\n{"en`;
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(head, () => socket.resetAndDestroy()));
      socket.on("close", () => resolve());
      socket.on("error", () => {});
    });
    expect((await ask(`${url}healthz`)).status).toBe(200);
  });
});

describe("an admin server that others reach", () => {
  it("takes the token for reading too, but neither for the page itself nor for its health", async () => {
    const mesh = meshOf({});
    const page = await adminOf(mesh, { host: "0.0.0.0", allowRemote: true, token, allowedHosts: ["gateway.test"] });
    const url = page.url.replace("0.0.0.0", "127.0.0.1");
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ["api/mesh", "api/services/orders", "api/events"]) {
      const { status, headers: told } = await ask(url + path);
      expect({ path, status, challenge: told["www-authenticate"] }).toEqual({ path, status: 401, challenge: "Bearer" });
    }
    expect((await ask(`${url}api/mesh`, { headers })).status).toBe(200);
    expect((await ask(`${url}api/mesh`, { headers: { ...headers, host: "gateway.test" } })).status).toBe(200);
    expect((await ask(`${url}healthz`)).status).toBe(200);
    expect((await ask(url)).status).toBe(200);
  });
});
