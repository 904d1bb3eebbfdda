import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createMesh, type Mesh, type MeshOptions, type ServiceTokenOptions, staticDiscovery } from "../../src/index.ts";
import { doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";

/** An instance that notes the tokens that come to it, answers upgrades, and redirects `/to/NAME` to the service of that name. */
async function instance() {
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    tokens.push(request.headers.authorization);
    const [, name] = /^\/to\/(\w+)$/.exec(request.url ?? "") ?? [];
    if (name !== undefined) response.writeHead(307, { location: `http://${name}/` });
    response.end("ok");
  });
  server.on("upgrade", (request, socket) => {
    tokens.push(request.headers.authorization);
    socket.on("error", () => {}).end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { tokens, endpoint: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}

/** A provider whose tokens name their audience, which takes a moment. */
function provider() {
  const asked: string[] = [];
  const token: ServiceTokenOptions = {
    allowPlain: true,
    provider: async (audience) => {
      asked.push(audience);
      await pause(5);
      return { token: `for-${audience}`, expiresAtMs: Date.now() + 60_000 };
    },
  };
  return { asked, token };
}

type Instance = Awaited<ReturnType<typeof instance>>;

function meshTo(instances: Readonly<Record<string, Instance>>, services: MeshOptions["services"]): Mesh {
  const lists = Object.entries(instances).map(([name, { endpoint }]) => [name, [endpoint]]);
  return closing(createMesh({ discovery: staticDiscovery(Object.fromEntries(lists)), services: services as never, retry: false }));
}

test.each(doorNames)("a request carries the token of its service, by its door: %s", async (name) => {
  const svc = await instance();
  const { token, asked } = provider();
  const mesh = meshTo({ svc }, { svc: { token } });
  await doors[name](mesh);
  await doors[name](mesh);
  expect(svc.tokens).toEqual(["Bearer for-svc", "Bearer for-svc"]);
  expect(asked).toEqual(["svc"]);
});

test.each(doorNames)("an own authorization header stays as it is, and asks for no token: %s", async (name) => {
  const svc = await instance();
  const { token, asked } = provider();
  await doors[name](meshTo({ svc }, { svc: { token } }), { headers: { authorization: "Basic b3du" } });
  expect(svc.tokens).toEqual(["Basic b3du"]);
  expect(asked).toEqual([]);
});

test.each(doorNames)("without a token nothing is sent, and the error shows no secret: %s", async (name) => {
  const svc = await instance();
  const failing = async (): Promise<never> => {
    throw new Error("client_secret=hunter2");
  };
  const mesh = meshTo({ svc }, { svc: { token: { allowPlain: true, provider: failing } } });
  const error = await doors[name](mesh).then(
    () => undefined,
    (reason: unknown) => reason as Error & { code?: string },
  );
  expect(error?.code).toBe("ERR_MESH_TOKEN");
  expect(`${error?.stack}${JSON.stringify(error)}`).not.toContain("hunter2");
  expect(svc.tokens).toEqual([]);
  expect(mesh.explain("svc")?.endpoints[0]?.failures).toBe(0);
});

test.each(doorNames)("a token does not go without TLS, unless that is allowed: %s", async (name) => {
  const svc = await instance();
  const { token } = provider();
  await expect(doors[name](meshTo({ svc }, { svc: { token: { ...token, allowPlain: false } } }))).rejects.toThrow();
  expect(svc.tokens).toEqual([]);
});

/** Through the agent, by `node:http` as a test says. */
function ask(mesh: Mesh, path: string, options: object, send: (request: ReturnType<typeof httpRequest>) => void): Promise<IncomingMessage> {
  const agent = mesh.agent();
  onTestFinished(() => agent.destroy());
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent, host: "svc", path, ...options }, (response) => {
      response.resume().once("end", () => resolve(response));
    });
    request.once("error", reject);
    send(request);
  });
}

test.each([
  ["ends at once", {}, (request) => request.end()],
  ["ends at once with a body", { method: "POST" }, (request) => request.end("body")],
  ["ends later", { method: "POST" }, (request) => void setTimeout(() => request.end("body"), 20)],
  [
    "writes its body in parts",
    { method: "POST" },
    (request) => {
      request.write("bo");
      setTimeout(() => request.end("dy"), 20);
    },
  ],
  [
    "has flushed its headers",
    { method: "POST" },
    (request) => {
      request.flushHeaders();
      setTimeout(() => request.end("body"), 20);
    },
  ],
  ["gives its headers as an array", { method: "POST", headers: ["host", "svc", "content-length", "4"] }, (request) => request.end("body")],
] as readonly (readonly [string, object, (request: ReturnType<typeof httpRequest>) => void])[])(
  "a client of the agent that %s has the token in its request, once",
  async (_what, options, send) => {
    const svc = await instance();
    const { token } = provider();
    const mesh = meshTo({ svc }, { svc: { token } });
    expect((await ask(mesh, "/", options, send)).statusCode).toBe(200);
    expect((await ask(mesh, "/", options, send)).statusCode).toBe(200);
    expect(svc.tokens).toEqual(["Bearer for-svc", "Bearer for-svc"]);
  },
);

test("an own header in an array counts as one", async () => {
  const svc = await instance();
  const { token, asked } = provider();
  const mesh = meshTo({ svc }, { svc: { token } });
  await ask(mesh, "/", { headers: ["host", "svc", "Authorization", "Basic b3du"] }, (request) => request.end());
  expect(svc.tokens).toEqual(["Basic b3du"]);
  expect(asked).toEqual([]);
});

test("a redirect takes no token along: out of the service it is not followed, and within it the token of the service goes again", async () => {
  const [svc, other] = [await instance(), await instance()];
  const { token, asked } = provider();
  const mesh = meshTo({ svc, other }, { svc: { token }, other: { token } });
  for (const name of ["other", "elsewhere"])
    await expect(mesh.fetch(`svc/to/${name}`, { redirect: "follow" })).rejects.toMatchObject({ code: "ERR_MESH_PROTOCOL" });
  expect(other.tokens).toEqual([]);
  await (await mesh.fetch("svc/to/svc", { redirect: "follow" })).text();
  expect(svc.tokens).toEqual(Array.from({ length: 4 }, () => "Bearer for-svc"));
  expect(asked).toEqual(["svc"]);
});

test("a client of the agent that follows a redirect to another service sends that one's token, or none", async () => {
  const [svc, other, bare] = [await instance(), await instance(), await instance()];
  const { token } = provider();
  const mesh = meshTo({ svc, other, bare }, { svc: { token }, other: { token } });
  for (const name of ["other", "bare"]) {
    const { headers } = await ask(mesh, `/to/${name}`, {}, (request) => request.end());
    await ask(mesh, "/", { host: new URL(headers.location ?? "").hostname }, (request) => request.end());
  }
  expect(other.tokens).toEqual(["Bearer for-other"]);
  expect(bare.tokens).toEqual([undefined]);
});

test("no answer and no request shows the client the token that its request has carried", async () => {
  const svc = await instance();
  const { token } = provider();
  const mesh = meshTo({ svc }, { svc: { token } });
  const response = await mesh.fetch("svc/");
  await response.text();
  expect(JSON.stringify([...response.headers])).not.toContain("for-svc");
  expect(`${String(mesh.explain("svc"))}${JSON.stringify(mesh.explain("svc"))}`).not.toContain("for-svc");
});
