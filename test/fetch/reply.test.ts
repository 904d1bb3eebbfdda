import { describe, expect, it } from "vitest";
import { meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const inFlight = (mesh: ReturnType<typeof meshOf>) => mesh.explain("users")?.endpoints[0]?.inFlight;

describe("mesh.request", () => {
  it("resolves with status, headers and a body to read", async () => {
    const server = await serve((request, response) => {
      response.writeHead(201, "Made", { "X-A": "1", "set-cookie": ["a=1", "b=2"], "content-type": "application/json" });
      response.end(JSON.stringify({ url: request.url }));
    });
    const mesh = meshOf({ users: server.port });
    const reply = await mesh.request("users/x", { method: "POST", body: "content", headers: { "x-b": "2" } });
    expect([reply.statusCode, reply.statusText, reply.headers["x-a"], reply.headers["set-cookie"], reply.headers["x-none"]]).toEqual([
      201,
      "Made",
      "1",
      ["a=1", "b=2"],
      undefined,
    ]);
    expect(await reply.body.json()).toEqual({ url: "/x" });
    expect([server.seen[0]?.method, server.seen[0]?.body.toString(), server.seen[0]?.headers["x-b"]]).toEqual(["POST", "content", "2"]);
    expect(await (await mesh.request("users/x")).body.text()).toBe('{"url":"/x"}');
    expect(await (await mesh.request("users/x")).body.bytes()).toBeInstanceOf(Uint8Array);
    expect(await new Response((await mesh.request("users/x")).body.stream()).text()).toBe('{"url":"/x"}');
    expect(inFlight(mesh)).toBe(0);
  });

  it("keeps the headers __proto__ and constructor as headers", async () => {
    const server = await serve((_request, response) => response.writeHead(200, ["__proto__", "1", "constructor", "2"]).end());
    const { headers, body } = await meshOf({ users: server.port }).request("users/x");
    expect(Object.entries(headers).filter(([name]) => name === "__proto__" || name === "constructor")).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
    expect("toString" in headers).toBe(false);
    await body.text();
  });

  it("gives a redirect as it is", async () => {
    const server = await serve((_request, response) => response.writeHead(302, { location: "/to" }).end());
    const reply = await meshOf({ users: server.port }).request("users/x", { redirect: "follow" } as never);
    expect([reply.statusCode, reply.headers["location"], server.seen.length]).toEqual([302, "/to", 1]);
    reply.body.discard();
  });

  it("lets the body go by discard and by cancel", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/endless") response.writeHead(200).write("begun");
      else response.end("short");
    });
    const mesh = meshOf({ users: server.port });
    (await mesh.request("users/short")).body.discard();
    await until("it is read away", () => inFlight(mesh) === 0);
    (await mesh.request("users/endless")).body.cancel();
    await until("the connection is closed", () => server.abandoned === 1);
    expect(inFlight(mesh)).toBe(0);
  });

  it("is read once", async () => {
    const server = await serve((_request, response) => response.end("once"));
    const { body } = await meshOf({ users: server.port }).request("users/x");
    await body.text();
    expect(await rejectionOf(body.text())).toBeInstanceOf(TypeError);
    expect(await rejectionOf(body.json())).toBeInstanceOf(TypeError);
  });

  it("rejects with a MeshError, the caller's reason, or a TypeError, as fetch does", async () => {
    const server = await serve(() => {});
    const mesh = meshOf({ users: server.port });
    expect(await rejectionOf(mesh.request("nobody/x"))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
    expect(await rejectionOf(mesh.request("http://1.2.3.4/"))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.request("users/x", { method: "GET", body: "x" }))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(mesh.request("users/x", { mesh: { timeoutMs: 30 } }))).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    const controller = new AbortController();
    const call = rejectionOf(mesh.request("users/x", { signal: controller.signal }));
    controller.abort("mine");
    expect(await call).toBe("mine");
  });
});

describe("trailers", () => {
  const trailing = () =>
    serve((_request, response) => {
      response.writeHead(200, { trailer: "X-Late, X-Twice" });
      response.write("body");
      response.addTrailers([
        ["X-Late", "yes"],
        ["X-Twice", "1"],
        ["X-Twice", "2"],
      ] as never);
      response.end();
    });

  it("are in response.trailers once the body has ended", async () => {
    const response = (await meshOf({ users: (await trailing()).port }).fetch("users/x")) as Response & { trailers: Headers };
    await response.text();
    expect([...response.trailers]).toEqual([
      ["x-late", "yes"],
      ["x-twice", "1, 2"],
    ]);
    expect(response.headers.has("x-late")).toBe(false);
  });

  it("are in reply.trailers once the body has ended", async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { trailer: "x-late" }).write("begun");
      setTimeout(() => {
        response.addTrailers({ "x-late": "yes" });
        response.end();
      }, 20);
    });
    const reply = await meshOf({ users: server.port }).request("users/x");
    expect({ ...reply.trailers }).toEqual({});
    await reply.body.text();
    expect({ ...reply.trailers }).toEqual({ "x-late": "yes" });
    const other = await meshOf({ users: (await trailing()).port }).request("users/x");
    await other.body.bytes();
    expect(other.trailers["x-twice"]).toEqual(["1", "2"]);
  });

  it("survive decoding and cloning", async () => {
    const { gzipSync } = await import("node:zlib");
    const server = await serve((_request, response) => {
      response.writeHead(200, { trailer: "x-late", "content-encoding": "gzip" });
      response.write(gzipSync("content"));
      response.addTrailers({ "x-late": "yes" });
      response.end();
    });
    const response = (await meshOf({ users: server.port }).fetch("users/x")) as Response & { trailers: Headers };
    const copy = response.clone() as typeof response;
    expect(await Promise.all([response.text(), copy.text()])).toEqual(["content", "content"]);
    expect([response.trailers.get("x-late"), copy.trailers.get("x-late")]).toEqual(["yes", "yes"]);
  });
});
