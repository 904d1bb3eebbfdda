import type { RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { describe, expect, it } from "vitest";
import { localResponse } from "../../src/core/buffered-body.ts";
import { MeshError } from "../../src/core/errors.ts";
import { Upstream } from "../../src/core/upstream.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { followRedirects } from "../../src/fetch/redirect.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { testRequest } from "../../src/testing/request.ts";
import { certificate } from "../support/certificate.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** Redirects `/from` with `status` to `location`; everything else is answered. */
const from =
  (status: number, location: string | undefined): RequestListener =>
  (request, response) => {
    if (request.url?.startsWith("/from")) response.writeHead(status, location === undefined ? {} : { location }).end("moved");
    else response.end(`${request.method} ${request.url}`);
  };

const follow = { redirect: "follow" } as const;

describe("redirect: follow", () => {
  it.each([
    ["/to?a=b", "GET /to?a=b"],
    ["to", "GET /from/to"],
    ["../to", "GET /to"],
    ["?q", "GET /from/x?q"],
    ["http://users/to", "GET /to"],
    ["http://USERS/to", "GET /to"],
    ["http://users:80/to", "GET /to"],
    ["mesh://users/to", "GET /to"],
    ["mesh://users", "GET /"],
    ["//users/to", "GET /to"],
    ["/to#part", "GET /to"],
    ["/t\u00c3\u00a9", "GET /t%C3%A9"],
    ["/a/%2e%2e/to", "GET /to"],
  ])("follows %j", async (location, expected) => {
    const server = await serve((request, response) => {
      if (request.url === "/from/x") response.writeHead(302, { location }).end();
      else response.end(`${request.method} ${request.url}`);
    });
    const response = await meshOf({ users: server.port }).fetch("users/from/x", follow);
    expect(await response.text()).toBe(expected);
    expect([response.status, response.redirected, response.url]).toEqual([200, true, `http://users${expected.slice(4)}`]);
  });

  it.each([302, 307])("to https: is followed over TLS or not at all, with status %d", async (status) => {
    const plain = await serve(from(status, "https://users/to"));
    const mesh = meshOf({ users: plain.port }, { retry: false });
    const error = await rejectionOf(mesh.fetch("users/from", { ...follow, method: "POST", body: "secret" }));
    expect(error).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: true });
    expect(plain.seen.map(({ url }) => url)).toEqual(["/from"]);
    const sent: [path: string, requiresTls: boolean][] = [];
    const requiring = testRequest({ service: "users", path: "/from", requiresTls: true });
    for (const location of ["http://users/to", "/to", "https://users/to"])
      await followRedirects(
        location.startsWith("https") ? { ...requiring, requiresTls: false } : requiring,
        localResponse(status, "", { location }),
        async (request) => {
          sent.push([request.path, request.requiresTls]);
          return localResponse(200);
        },
        () => false,
      );
    expect(sent).toEqual(new Array(3).fill(["/to", true]));
  });

  it.each(["https://users/to", "https://users:443/to"])("follows %j over TLS or not at all", async (location) => {
    const server = await serve(from(302, location));
    const mesh = meshOf({ users: server.port });
    const init = { ...follow, headers: { authorization: "Bearer secret" } };
    expect(await rejectionOf(mesh.fetch("users/from", init))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: true });
    expect(server.begun).toEqual(["GET /from"]);
  });

  it.each([
    ["POST", 303],
    ["POST", 307],
    ["GET", 302],
  ])("says that a %s which was answered with %d may have been executed, where the hop after it was not", async (method, status) => {
    const unsent = new MeshError("ERR_MESH_CIRCUIT_OPEN", "refused", { service: "users", maybeExecuted: false });
    const answer = localResponse(status, "", { location: "/to" });
    const chain = followRedirects(
      testRequest({ service: "users", path: "/from", method }),
      answer,
      () => Promise.reject(unsent),
      () => false,
    );
    expect(await rejectionOf(chain)).toMatchObject({ code: "ERR_MESH_CIRCUIT_OPEN", maybeExecuted: true });
  });

  it("follows https over TLS, and back to http over TLS too", async () => {
    const seen: string[] = [];
    const port = await listening(
      createTlsServer({ ...certificate }, (request, response) => {
        seen.push(request.url as string);
        if (request.url === "/from") response.writeHead(302, { location: "https://users/second" }).end();
        else if (request.url === "/second") response.writeHead(302, { location: "http://users/to" }).end();
        else response.end("over TLS");
      }),
    );
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port, secure: true }] }),
        tls: { ca: certificate.cert },
        drainTimeoutMs: 0,
      }),
    );
    const response = await mesh.fetch("users/from", follow);
    expect([await response.text(), response.url, seen]).toEqual(["over TLS", "https://users/to", ["/from", "/second", "/to"]]);
  });

  it("follows to the instance that answered, by its own host and port, and balances", async () => {
    let port = 0;
    const server = await serve((request, response) => from(307, `http://127.0.0.1:${port}/to`)(request, response));
    port = server.port;
    const response = await meshOf({ users: server.port }).fetch("users/from", follow);
    expect([await response.text(), response.url]).toEqual(["GET /to", "http://users/to"]);
    expect(server.seen[1]?.headers.host).toBe(`127.0.0.1:${port}`);
  });

  it("knows the instance by a port that is the scheme's own", async () => {
    const upstream = new Upstream("users", { id: "a", host: "127.0.0.1", port: 80 });
    const answer = { ...localResponse(302, "", { location: "http://127.0.0.1/to" }), upstream };
    const sent: string[] = [];
    await followRedirects(
      testRequest({ service: "users", path: "/from" }),
      answer,
      async (request) => {
        sent.push(request.path);
        return localResponse(200);
      },
      () => false,
    );
    expect(sent).toEqual(["/to"]);
  });

  it("sends nothing elsewhere, neither to another service nor to another port", async () => {
    const elsewhere = await serve();
    const locations = [
      `http://127.0.0.1:${elsewhere.port}/to`,
      `//127.0.0.1:${elsewhere.port}/to`,
      `http://localhost:${elsewhere.port}/to`,
      `http://users@127.0.0.1:${elsewhere.port}/to`,
      `http://users:secret@users/to`,
      `http://users:${elsewhere.port}/to`,
      "http://orders/to",
      "mesh://orders/to",
      "http://[",
      "http://",
      "data:text/plain,x",
      "file:///etc/passwd",
      "javascript:1",
      "ws://users/to",
    ];
    const server = await serve((request, response) => {
      const location = locations[Number(new URL(request.url ?? "", "http://a").searchParams.get("n"))] as string;
      response.writeHead(302, { location }).end();
    });
    const mesh = meshOf({ users: server.port, orders: elsewhere.port });
    for (const [index, location] of locations.entries()) {
      const error = await rejectionOf(mesh.fetch(`users/from?n=${index}`, { ...follow, headers: { authorization: "secret" } }));
      expect(error, location).toMatchObject({ code: "ERR_MESH_PROTOCOL", service: "users", maybeExecuted: true });
      expect((error as Error).message, location).toContain("leads out of the service");
    }
    expect([elsewhere.accepted, server.seen.length]).toEqual([0, locations.length]);
    await until("nothing is in flight", () => mesh.explain("users")?.endpoints[0]?.inFlight === 0);
  });

  it.each([
    [301, "GET", "GET"],
    [301, "POST", "GET"],
    [301, "PUT", "PUT"],
    [301, "HEAD", "HEAD"],
    [302, "GET", "GET"],
    [302, "POST", "GET"],
    [302, "DELETE", "DELETE"],
    [302, "HEAD", "HEAD"],
    [303, "GET", "GET"],
    [303, "POST", "GET"],
    [303, "PUT", "GET"],
    [303, "HEAD", "HEAD"],
    [307, "GET", "GET"],
    [307, "POST", "POST"],
    [307, "HEAD", "HEAD"],
    [308, "POST", "POST"],
    [308, "PUT", "PUT"],
  ])("after a %d, %s becomes %s", async (status, method, becomes) => {
    const server = await serve(from(status, "/to"));
    const hasBody = method !== "GET" && method !== "HEAD";
    const headers = { "x-mine": "1", authorization: "mine", ...(hasBody ? { "content-type": "a/b", "content-language": "en" } : {}) };
    const response = await meshOf({ users: server.port }).fetch("users/from", {
      ...follow,
      method,
      headers,
      ...(hasBody ? { body: "content" } : {}),
    });
    await response.text();
    const second = server.seen[1];
    expect([second?.method, second?.url, second?.headers["x-mine"], second?.headers.authorization]).toEqual([becomes, "/to", "1", "mine"]);
    const keepsBody = hasBody && becomes === method;
    expect([second?.body.toString(), second?.headers["content-type"], second?.headers["content-language"]]).toEqual(
      keepsBody ? ["content", "a/b", "en"] : ["", undefined, undefined],
    );
  });

  it.each([300, 304, 305, 306, 399])("takes a %d for an answer", async (status) => {
    const server = await serve(from(status, "/to"));
    const response = await meshOf({ users: server.port }).fetch("users/from", follow);
    expect([response.status, response.redirected, server.seen.length]).toEqual([status, false, 1]);
    await response.text();
  });

  it("takes a redirect that leads nowhere for an answer", async () => {
    const server = await serve(from(302, undefined));
    const response = await meshOf({ users: server.port }).fetch("users/from", follow);
    expect([response.status, response.redirected, await response.text()]).toEqual([302, false, "moved"]);
  });

  it("cannot send a stream again, and a function's stream can", async () => {
    const server = await serve(from(307, "/to"));
    const mesh = meshOf({ users: server.port });
    const stream = async function* () {
      yield "content";
    };
    const error = await rejectionOf(mesh.fetch("users/from", { ...follow, method: "POST", body: stream(), duplex: "half" }));
    expect(error).toMatchObject({ code: "ERR_MESH_PROTOCOL", message: expect.stringContaining("a stream"), maybeExecuted: true });
    expect(server.seen).toHaveLength(1);
    await (await mesh.fetch("users/from", { ...follow, method: "POST", body: stream })).text();
    expect(server.seen[2]?.body.toString()).toBe("content");
  });

  it("follows a stream's POST where the body is not needed again", async () => {
    const server = await serve(from(303, "/to"));
    const body = new Blob(["content"]).stream();
    const response = await meshOf({ users: server.port }).fetch("users/from", { ...follow, method: "POST", body, duplex: "half" });
    expect(await response.text()).toBe("GET /to");
  });

  it("gives up after twenty", async () => {
    const server = await serve((request, response) => {
      const count = Number(request.url?.slice(1));
      if (count === 0) response.end("there");
      else response.writeHead(302, { location: `/${count - 1}` }).end();
    });
    const mesh = meshOf({ users: server.port });
    expect(await (await mesh.fetch("users/20", follow)).text()).toBe("there");
    expect(await rejectionOf(mesh.fetch("users/21", follow))).toMatchObject({ code: "ERR_MESH_PROTOCOL" });
    expect(server.seen).toHaveLength(21 + 21);
  });

  it("holds one deadline over all of them when the call set one", async () => {
    const server = await serve((_request, response) => setTimeout(() => response.writeHead(302, { location: "/again" }).end(), 40));
    const mesh = meshOf({ users: server.port });
    expect(await rejectionOf(mesh.fetch("users/x", { ...follow, mesh: { timeoutMs: 100, retry: false } }))).toMatchObject({
      code: "ERR_MESH_TIMEOUT",
    });
    expect(server.begun.length).toBeLessThan(5);
  });

  it("is not held up by a hop whose body never ends", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to" }).write("never ends");
      else {
        response.write("one ");
        setTimeout(() => response.end("two"), 300);
      }
    });
    const mesh = meshOf(
      { users: server.port },
      {
        timeoutMs: 2_000,
        services: {
          users: {
            timeoutMs: 5_000,
            interceptors: [
              (next) => async (request) => {
                const response = await next(request);
                if (response.status === 302) await new Promise((resolve) => setTimeout(resolve, 250));
                return response;
              },
            ],
          },
        },
      },
    );
    expect(await (await mesh.fetch("users/from", follow)).text()).toBe("one two");
  });

  it.each([
    ["of the service", { services: { users: { timeoutMs: 300 } } }, {}],
    ["of the call", {}, { timeoutMs: 300 }],
  ])("has one deadline for all hops: that %s", async (_whose, options, mesh) => {
    let hops = 0;
    const server = await serve((_request, response) => {
      hops++;
      setTimeout(() => response.writeHead(302, { location: `/hop${hops}` }).end(), 200);
    });
    const call = meshOf({ users: server.port }, options).fetch("users/from", { ...follow, mesh });
    expect(await rejectionOf(call)).toMatchObject({ code: "ERR_MESH_TIMEOUT" });
    expect(hops).toBeLessThanOrEqual(2);
  });

  it("ends with the caller's abort, between two hops as well", async () => {
    const controller = new AbortController();
    const server = await serve((_request, response) => void response.writeHead(302, { location: "/to" }).end());
    const mesh = meshOf(
      { users: server.port },
      {
        interceptors: [
          (next) => async (request) => {
            const response = await next(request);
            response.body.onClose(() => controller.abort(new RangeError("mine")));
            return response;
          },
        ],
      },
    );
    expect(await rejectionOf(mesh.fetch("users/x", { ...follow, signal: controller.signal }))).toBeInstanceOf(RangeError);
    expect(server.seen).toHaveLength(1);
  });

  it("decodes what it led to", async () => {
    const { gzipSync } = await import("node:zlib");
    const server = await serve((request, response) => {
      if (request.url === "/from") response.writeHead(302, { location: "/to", "content-encoding": "gzip" }).end("not gzip");
      else response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("there"));
    });
    expect(await (await meshOf({ users: server.port }).fetch("users/from", follow)).text()).toBe("there");
  });
});

describe("a redirect of a Request, whose maker chose nothing", () => {
  const moved = (location: string, status = 302) =>
    serve((request, response) => {
      if (request.url === "/there") response.end("there");
      else response.writeHead(status, { location }).end("moved");
    });

  it("is followed within the service, with its body", async () => {
    const mesh = meshOf({ users: (await moved("/there", 307)).port });
    const response = await mesh.fetch(new Request("http://users/from", { method: "POST", body: "text" }));
    expect([response.status, response.redirected, await response.text()]).toEqual([200, true, "there"]);
  });

  it("is the response where it leads out of the service, or needs a stream again", async () => {
    const out = meshOf({ users: (await moved("http://elsewhere/there")).port });
    const response = await out.fetch(new Request("http://users/from"));
    expect([response.status, response.headers.get("location"), await response.text()]).toEqual([302, "http://elsewhere/there", "moved"]);
    const server = await moved("/there", 307);
    const body = new ReadableStream({
      async pull(controller) {
        // It is alive: its bytes come after the request has been sent.
        await until("there is a connection", () => server.accepted === 1);
        controller.enqueue(Buffer.from("late"));
        controller.close();
      },
    });
    const streamed = await meshOf({ users: server.port }).fetch(
      new Request("http://users/from", { method: "POST", body, duplex: "half" } as never),
    );
    expect(streamed.status).toBe(307);
  });

  it("is as its maker, or the init, says", async () => {
    const mesh = meshOf({ users: (await moved("/there")).port });
    expect((await mesh.fetch(new Request("http://users/from", { redirect: "manual" }))).status).toBe(302);
    expect((await mesh.fetch(new Request("http://users/from"), { redirect: "manual" })).status).toBe(302);
    expect(await rejectionOf(mesh.fetch(new Request("http://users/from", { redirect: "error" })))).toMatchObject({
      code: "ERR_MESH_PROTOCOL",
    });
  });
});
