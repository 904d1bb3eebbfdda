import { get, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { text as textOf } from "node:stream/consumers";
import axios from "axios";
import got from "got";
import { describe, expect, it, onTestFinished } from "vitest";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { systemClock } from "../../src/core/clock.ts";
import { isMeshError } from "../../src/core/errors.ts";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh, type Mesh } from "../../src/mesh/mesh.ts";
import { certificate } from "../support/certificate.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { closedPort, listening, serve, serveRaw } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** The mesh's agent, destroyed at the end of the test. */
function agentOf(mesh: Mesh, options = {}): HttpAgent {
  const agent = mesh.agent(options);
  onTestFinished(() => agent.destroy());
  return agent;
}

/** GET with node:http. */
function fetchText(url: string, agent: HttpAgent): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode, text }), reject);
    }).on("error", reject);
  });
}

const endpoints = (mesh: Mesh) => mesh.explain("users")?.endpoints ?? [];
const inFlight = (mesh: Mesh) => endpoints(mesh).reduce((sum, each) => sum + each.inFlight, 0);
const idle = (mesh: Mesh) => until("nothing is in flight", () => inFlight(mesh) === 0);
const socketsOf = (agent: HttpAgent) => [agent.sockets, agent.freeSockets, agent.requests].map((each) => Object.values(each).flat().length);

const three = () =>
  Promise.all(["a", "b", "c"].map((name) => serve((request, response) => response.end(`${name} ${request.method} ${request.url}`))));

describe("mesh.agent", () => {
  it("is an http.Agent", () => {
    expect(agentOf(meshOf({ users: 9 }))).toBeInstanceOf(HttpAgent);
  });

  it("balances node:http over the instances, one kept connection each", async () => {
    const servers = await three();
    const mesh = meshOf({ users: servers.map(({ port }) => port) }, { picker: roundRobin() });
    const agent = agentOf(mesh);
    const answers: string[] = [];
    for (let index = 0; index < 9; index++) answers.push((await fetchText("http://users/x?y", agent)).text);
    expect(["a", "b", "c"].map((name) => answers.filter((answer) => answer === `${name} GET /x?y`).length)).toEqual([3, 3, 3]);
    expect(servers.map(({ accepted }) => accepted)).toEqual([1, 1, 1]);
    expect(servers[0]?.seen[0]?.headers.host).toBe("users");
    await idle(mesh);
    expect(endpoints(mesh).map(({ attempts: requests }) => requests)).toEqual([3, 3, 3]);
  });

  it("closes a connection that has its age by the clock of the mesh", async () => {
    const [server] = await three();
    let passedMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
    const agent = agentOf(meshOf({ users: server?.port as number }, { clock, connections: { maxAgeMs: 60_000 } }));
    for (passedMs of [0, 59_000, 61_000]) await fetchText("http://users/", agent);
    await fetchText("http://users/", agent);
    expect(server?.accepted).toBe(2);
  });

  it("carries axios: GET, POST, statuses", async () => {
    const servers = await three();
    const mesh = meshOf({ users: servers.map(({ port }) => port) });
    const client = axios.create({ httpAgent: agentOf(mesh), baseURL: "http://users", proxy: false });
    const answers = new Set<string>();
    for (let index = 0; index < 6; index++) answers.add((await client.get("/x")).data);
    expect([...answers].sort()).toEqual(["a GET /x", "b GET /x", "c GET /x"]);
    expect((await client.post("/p", { a: 1 })).data).toMatch(/POST \/p/);
    expect(
      servers
        .flatMap(({ seen }) => seen)
        .find(({ method }) => method === "POST")
        ?.body.toString(),
    ).toBe('{"a":1}');
    await idle(mesh);
  });

  it("carries got: GET and POST", async () => {
    const servers = await three();
    const mesh = meshOf({ users: servers.map(({ port }) => port) });
    const client = got.extend({ agent: { http: agentOf(mesh) }, retry: { limit: 0 } });
    const answers = new Set<string>();
    for (let index = 0; index < 6; index++) answers.add(await client("http://users/x").text());
    expect(answers.size).toBe(3);
    expect(await client.post("http://users/p", { json: { a: 1 } }).text()).toMatch(/POST \/p/);
    await idle(mesh);
  });

  it("takes a dead instance out at its first refusal, and the next request goes elsewhere", async () => {
    const [server] = await three();
    const mesh = meshOf({ users: [await closedPort(), server?.port as number] });
    const agent = agentOf(mesh);
    const outcomes: unknown[] = [];
    for (let index = 0; index < 6; index++) {
      outcomes.push(
        await fetchText("http://users/x", agent).then(
          ({ text }) => text,
          (error: { code?: string }) => error.code,
        ),
      );
    }
    expect(outcomes.filter((each) => each === "ECONNREFUSED")).toHaveLength(1);
    expect(outcomes.filter((each) => each === "a GET /x")).toHaveLength(5);
    expect(endpoints(mesh).map(({ state, inFlight: busy }) => [state, busy])).toEqual([
      ["ejected", 0],
      ["available", 0],
    ]);
  });

  it("takes an instance back after a probe, though no other client calls", async () => {
    const port = await closedPort();
    const [server] = await three();
    const mesh = meshOf({ users: [port, server?.port as number] }, { breaker: { breakMs: 20, maxBreakMs: 20 } });
    const agent = agentOf(mesh);
    for (let index = 0; index < 2; index++) await fetchText("http://users/x", agent).catch(() => {});
    expect(endpoints(mesh)[0]?.state).not.toBe("available");
    const { createServer } = await import("node:http");
    const back = createServer((_request, response) => response.end("back"));
    await new Promise<void>((resolve) => back.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => {
      back.closeAllConnections();
      back.close();
    });
    await until("it wants a probe", () => endpoints(mesh)[0]?.state === "probing");
    expect((await fetchText("http://users/x", agent)).text).toBe("back");
    await until("it is back", () => endpoints(mesh)[0]?.state === "available");
  });

  it("counts every server error, and takes an instance out of rotation for gateway errors alone", async () => {
    const bad = await serve((request, response) => response.writeHead(request.url === "/500" ? 500 : 503).end());
    const mesh = meshOf({ users: bad.port });
    const agent = agentOf(mesh);
    for (let index = 0; index < 6; index++) await fetchText("http://users/500", agent);
    await idle(mesh);
    expect(endpoints(mesh)[0]).toMatchObject({ failures: 6, ejections: 0 });
    for (let index = 0; index < 5; index++) expect((await fetchText("http://users/503", agent)).status).toBe(503);
    await idle(mesh);
    expect(endpoints(mesh)[0]).toMatchObject({ failures: 11, ejections: 1 });
  });

  it("blames an instance that ends or resets the connection, before the head and inside the body", async () => {
    for (const how of ["destroy", "reset"] as const) {
      for (const head of ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun"]) {
        const raw = await serveRaw((socket) => {
          if (head !== "") socket.write(head);
          setTimeout(() => (how === "reset" ? socket.resetAndDestroy() : socket.end()), 20);
        });
        const mesh = meshOf({ users: raw.port });
        await rejectionOf(fetchText("http://users/x", agentOf(mesh)));
        await idle(mesh);
        expect([how, head.length, endpoints(mesh)[0]?.failures]).toEqual([how, head.length, 1]);
      }
    }
  });

  it("blames no instance when the client gives up: before the head, inside the body, by signal or destroy", async () => {
    const server = await serve((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("begun");
    });
    const mesh = meshOf({ users: server.port });
    const agent = agentOf(mesh);
    const gone = (url: string, give: (request: ReturnType<typeof get>, response: IncomingMessage | undefined) => void) =>
      new Promise<void>((resolve) => {
        const request = get(url, { agent }, (response) => {
          response.on("error", () => {});
          give(request, response);
        });
        request.on("error", () => {});
        request.on("close", () => resolve());
        if (url.endsWith("/head"))
          void until("it has arrived", () => inFlight(mesh) === 1 && server.begun.at(-1) === "GET /head").then(() =>
            setTimeout(() => give(request, undefined), 20),
          );
      });
    await gone("http://users/head", (request) => request.destroy());
    await gone("http://users/head", (request) => request.destroy(new Error("mine")));
    await gone("http://users/body", (request) => request.destroy());
    await gone("http://users/body", (_request, response) => response?.destroy());
    await gone("http://users/body", (request) => request.destroy(new Error("mine")));
    const controller = new AbortController();
    const aborted = rejectionOf(axios.get("http://users/head", { httpAgent: agent, signal: controller.signal, proxy: false }));
    await until("it is in flight", () => inFlight(mesh) === 1);
    controller.abort();
    await aborted;
    await rejectionOf(got("http://users/head", { agent: { http: agent }, timeout: { request: 50 }, retry: { limit: 0 } }));
    await idle(mesh);
    expect(endpoints(mesh)[0]?.failures).toBe(0);
  });

  it("sends nothing for a request that was destroyed while discovery was asked", async () => {
    const server = await serve();
    let answer: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const mesh = closing(
      createMesh({
        discovery: {
          async *watch() {
            await asked;
            yield [{ id: "a", host: "127.0.0.1", port: server.port }];
          },
        },
      }),
    );
    const request = get("http://users/x", { agent: agentOf(mesh) });
    const failed = new Promise((resolve) => request.on("error", resolve));
    request.destroy(new Error("mine"));
    answer();
    expect(await failed).toMatchObject({ message: "mine" });
    await until("discovery has answered", () => endpoints(mesh).length === 1);
    await idle(mesh);
    expect(server.accepted).toBe(0);
  });

  it("fails with a MeshError for an unknown service and a host that is no service", async () => {
    const mesh = meshOf({ users: 9 });
    const agent = agentOf(mesh);
    for (const [url, code] of [
      ["http://nobody/x", "ERR_MESH_NO_ENDPOINTS"],
      ["http://127.0.0.1/x", "ERR_MESH_INVALID_TARGET"],
      ["http://users:8080/x", "ERR_MESH_INVALID_TARGET"],
    ] as const) {
      const error = await rejectionOf(fetchText(url, agent));
      expect(isMeshError(error), url).toBe(true);
      expect(error).toMatchObject({ code });
      expect(await rejectionOf(axios.get(url, { httpAgent: agent, proxy: false }))).toMatchObject({ code });
    }
    await mesh.close();
    expect(await rejectionOf(fetchText("http://users/x", agent))).toMatchObject({ code: "ERR_MESH_CLOSED" });
  });

  it("leaves no socket behind when it is destroyed", async () => {
    const servers = await three();
    const mesh = meshOf({ users: servers.map(({ port }) => port) });
    const agent = mesh.agent();
    await Promise.all(Array.from({ length: 12 }, () => fetchText("http://users/x", agent)));
    await until("all are free", () => socketsOf(agent)[0] === 0);
    expect(socketsOf(agent)[1]).toBeGreaterThan(0);
    agent.destroy();
    await until("none is left", () => socketsOf(agent).every((count) => count === 0));
    expect(inFlight(mesh)).toBe(0);
  });

  it("lets others have the connection of a response without a listener", async () => {
    const [server] = await three();
    const mesh = meshOf({ users: server?.port as number });
    const agent = agentOf(mesh, { maxSockets: 1 });
    // As without the mesh, Node drops a response without a listener.
    get("http://users/unheard", { agent });
    expect((await fetchText("http://users/x", agent)).text).toBe("a GET /x");
    await idle(mesh);
  });

  it("keeps a response for a client that reads it late", async () => {
    const [server] = await three();
    const agent = agentOf(meshOf({ users: server?.port as number }));
    const response = await new Promise<IncomingMessage>((resolve) => get("http://users/late", { agent }).once("response", resolve));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await textOf(response)).toBe("a GET /late");
  });

  it("counts an upgraded connection as in flight until it closes", async () => {
    const raw = await serveRaw((socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"),
    );
    const mesh = meshOf({ users: raw.port });
    const agent = agentOf(mesh);
    const headers = { connection: "upgrade", upgrade: "echo" };
    const socket = await new Promise<{ destroy(): void }>((resolve, reject) => {
      httpRequest("http://users/x", { agent, headers })
        .on("upgrade", (_response, upgraded) => resolve(upgraded))
        .on("error", reject)
        .end();
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(inFlight(mesh)).toBe(1);
    socket.destroy();
    await idle(mesh);
    httpRequest("http://users/x", { agent, headers })
      .on("error", () => {})
      .end();
    await until("it was sent", () => raw.sockets.length === 2);
    await idle(mesh);
  });

  it("speaks TLS to an instance that does, with the mesh's authorities", async () => {
    const server = createTlsServer(certificate, (request, response) => response.end(`secure ${request.url}`));
    const port = await listening(server);
    const discovery = staticDiscovery({ users: [{ host: "127.0.0.1", port, secure: true }] });
    const mesh = closing(createMesh({ discovery, tls: { ca: certificate.cert } }));
    expect((await fetchText("http://users/x", agentOf(mesh))).text).toBe("secure /x");
    const stranger = closing(createMesh({ discovery }));
    expect(await rejectionOf(fetchText("http://users/x", agentOf(stranger)))).toMatchObject({
      code: expect.stringMatching(/SELF_SIGNED|UNABLE/),
    });
    expect(stranger.explain("users")?.endpoints[0]).toMatchObject({ failures: 1, inFlight: 0 });
  });

  it("follows the instances as discovery changes them", async () => {
    const [first, second] = await three();
    let tell: (port: number) => void = () => {};
    const mesh = closing(
      createMesh({
        discovery: {
          async *watch(_service, signal) {
            let port = first?.port as number;
            while (!signal.aborted) {
              const next = new Promise<number>((resolve) => {
                tell = resolve;
                signal.addEventListener("abort", () => resolve(0));
              });
              yield [{ id: String(port), host: "127.0.0.1", port }];
              port = await next;
            }
          },
        },
      }),
    );
    const agent = agentOf(mesh);
    expect((await fetchText("http://users/x", agent)).text).toBe("a GET /x");
    tell(second?.port as number);
    await until("the other is known", async () => (await fetchText("http://users/x", agent)).text === "b GET /x");
  });
});
