import { createServer, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { Duplex } from "node:stream";
import express from "express";
import { fastify } from "fastify";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createMesh, type Mesh, staticDiscovery } from "../../src/index.ts";
import { inmeshPlugin } from "../../src/server/fastify.ts";
import type { NodeServer } from "../../src/server/node-server.ts";
import { callerOf, type ServeOptions, serve } from "../../src/server/server.ts";
import { askPlain, askTls, credentialsOf, GivenIdentity } from "../server/entrance/secured.ts";
import { Authority } from "../support/authority.ts";
import { doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";

const [web, batch, orders] = ["spiffe://td/web", "spiffe://td/batch", "spiffe://td/orders"];
let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create("td");
});

async function identity(id: string): Promise<GivenIdentity> {
  return new GivenIdentity(credentialsOf(await authority.issue({ uris: [id] }), { bundles: new Map([["td", [authority.certificate]]]) }));
}

/** The callers that handlers have seen: a request that is refused must reach none. */
type Seen = (string | undefined)[];

/** An application of each kind, with a handler for everything; returns its server, which listens. */
interface Framework {
  readonly isHttp2: boolean;
  start(options: ServeOptions, seen: Seen): Promise<Server>;
}

const frameworks: Readonly<Record<string, Framework>> = {
  "Express 5": {
    isHttp2: false,
    async start(options, seen) {
      const app = express();
      app.use((request, response) => {
        seen.push(callerOf(request)?.identity);
        response.send("ok");
      });
      return served(createServer(app), options);
    },
  },
  "Fastify 5": { isHttp2: false, start: (options, seen) => fastifyServer(fastify() as never, options, seen) },
  "Fastify 5 over HTTP/2": { isHttp2: true, start: (options, seen) => fastifyServer(fastify({ http2: true }) as never, options, seen) },
  "node:http2": {
    isHttp2: true,
    start: (options, seen) =>
      served(
        createHttp2Server((request, response) => {
          seen.push(callerOf(request)?.identity);
          response.end("ok");
        }),
        options,
      ),
  },
};

async function served(server: NodeServer, options: ServeOptions): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const serving = serve(server, options);
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return server;
}

async function fastifyServer(app: ReturnType<typeof fastify>, options: ServeOptions, seen: Seen): Promise<Server> {
  app.all("/*", async (request: { raw: IncomingMessage }) => {
    seen.push(callerOf(request.raw)?.identity);
    return "ok";
  });
  await app.register(inmeshPlugin, options);
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  return app.server;
}

async function application({ isHttp2, start }: Framework) {
  const seen: Seen = [];
  const upgrades: string[] = [];
  const server = await start(
    {
      signals: [],
      log: false,
      lameDuckMs: 0,
      graceMs: 500,
      identity: await identity(orders),
      inbound: {
        authorization: {
          policy: {
            rules: [
              { id: "no-admin", action: "deny", to: { paths: ["/admin/**"] } },
              { id: "web", action: "allow", from: { identities: [web] } },
            ],
          },
        },
      },
    },
    seen,
  );
  if (!isHttp2)
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      upgrades.push(`${request.url} ${callerOf(request)?.identity}`);
      socket.on("error", () => {}).end("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    });
  return { port: (server.address() as AddressInfo).port, seen, upgrades };
}

const meshAs = async (id: string, port: number, isHttp2 = false): Promise<Mesh> =>
  closing(
    createMesh({
      discovery: staticDiscovery({ svc: [{ host: "127.0.0.1", port }] }),
      identity: await identity(id),
      peer: { mode: "strict", id: orders },
      protocol: isHttp2 ? "h2" : "h1",
      retry: false,
      drainTimeoutMs: 0,
    }),
  );

describe.each(Object.entries(frameworks))("%s behind an identity and rules", (_name, framework) => {
  const { isHttp2 } = framework;

  test("hands the caller's verified identity to its handlers", async () => {
    const { port, seen } = await application(framework);
    const mesh = await meshAs(web, port, isHttp2);
    expect(await doors.fetch(mesh)).toMatchObject({ status: 200, text: "ok" });
    expect(await doors.fetch(mesh, { headers: { "x-forwarded-client-cert": `URI=${batch}` } })).toMatchObject({ status: 200 });
    expect(seen).toEqual([web, web]);
    expect(mesh.explain("svc")?.endpoints[0]?.connection).toMatchObject({ encrypted: true, newest: { protocol: isHttp2 ? "h2" : "h1" } });
  });

  test("sees no request that the rules deny, and none without an identity", async () => {
    const { port, seen } = await application(framework);
    expect((await doors.fetch(await meshAs(batch, port, isHttp2))).status).toBe(403);
    expect((await doors.fetch(await meshAs(web, port, isHttp2), { path: "/admin/x" })).status).toBe(403);
    await expect(askPlain(port)).rejects.toThrow();
    await expect(askTls(port, { ca: authority.certificate })).rejects.toThrow();
    expect(seen).toEqual([]);
  });
});

test.each(Object.entries(frameworks).filter(([, { isHttp2 }]) => !isHttp2))(
  "%s sees no upgrade that the rules deny, and the caller of the others",
  async (_name, framework) => {
    const { port, upgrades } = await application(framework);
    expect(await doors.upgrade(await meshAs(web, port), { path: "/live" })).toMatchObject({ status: 101 });
    await expect(doors.upgrade(await meshAs(batch, port), { path: "/live" })).rejects.toThrow();
    await expect(doors.upgrade(await meshAs(web, port), { path: "/admin/live" })).rejects.toThrow();
    expect(upgrades).toEqual([`/live ${web}`]);
  },
);
