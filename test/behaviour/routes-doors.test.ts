import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import type { Route } from "../../src/routing/route.ts";
import { type DoorAnswer, type DoorCall, doorNames, doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";

/** One try of a table of routes through a door: the answer or the error, and the requests that each service has seen. */
interface Tried {
  readonly answer: DoorAnswer | undefined;
  readonly error: unknown;
  readonly seen: Readonly<Record<string, readonly IncomingMessage[]>>;
}

async function through(
  door: keyof typeof doors,
  routes: MeshOptions["routes"],
  call: DoorCall,
  options: Partial<MeshOptions> = {},
): Promise<Tried> {
  const seen: Record<string, IncomingMessage[]> = {};
  const services: Record<string, { host: string; port: number; metadata?: Record<string, string> }[]> = {};
  for (const name of ["svc", "other", "old"]) {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      response.end(name);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      requests.push(request);
      socket.end(`HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-by: ${name}\r\n\r\n`);
    });
    seen[name] = requests;
    services[name] = [{ host: "127.0.0.1", port: await listening(server) }];
  }
  const mesh = closing(
    createMesh({ discovery: staticDiscovery(services), drainTimeoutMs: 0, ...options, ...(routes === undefined ? {} : { routes }) }),
  );
  try {
    return { answer: await doors[door](mesh, call), error: undefined, seen };
  } catch (error) {
    return { answer: undefined, error, seen };
  }
}

const numbers = ({ seen }: Tried) => Object.fromEntries(Object.entries(seen).map(([name, requests]) => [name, requests.length]));
const change: Route = {
  match: { service: "svc", path: { prefix: "/a" }, headers: { "x-want": "1" } },
  to: "other",
  rewrite: { prefix: "/b" },
  requestHeaders: { set: { "x-set": "2" }, remove: ["x-want"] },
};

describe.each(doorNames)("routes through %s", (door) => {
  it("send a call to another service", async () => {
    const tried = await through(door, [{ match: { path: { exact: "/a" } }, to: "other" }], { path: "/a" });
    expect([tried.error, numbers(tried)]).toEqual([undefined, { svc: 0, other: 1, old: 0 }]);
    expect(tried.seen["other"]?.[0]?.url).toBe("/a");
  });

  it("split calls", async () => {
    const split = {
      targets: [
        { service: "old", weight: 0 },
        { service: "other", weight: 1 },
      ],
    };
    expect(numbers(await through(door, [{ split }], { path: "/a" }))).toEqual({ svc: 0, other: 1, old: 0 });
  });

  it("leave a call alone that no rule matches", async () => {
    const tried = await through(door, [{ match: { path: { exact: "/b" } }, to: "other" }], { path: "/a?b", headers: { "x-want": "1" } });
    expect([tried.error, numbers(tried)]).toEqual([undefined, { svc: 1, other: 0, old: 0 }]);
    expect(tried.seen["svc"]?.[0]?.url).toBe("/a?b");
  });

  it("change path and headers, or refuse the call", async () => {
    const tried = await through(door, [change], { path: "/a/c?d", headers: { "x-want": "1" } });
    if (door === "agent") {
      expect(tried.error).toMatchObject({ code: "ERR_MESH_ROUTE", maybeExecuted: false });
      expect(String(tried.error)).toContain('"routes[0]" has rewrite, which mesh.agent() cannot apply');
      expect(numbers(tried)).toEqual({ svc: 0, other: 0, old: 0 });
      return;
    }
    expect([tried.error, numbers(tried)]).toEqual([undefined, { svc: 0, other: 1, old: 0 }]);
    const [request] = tried.seen["other"] ?? [];
    expect([request?.url, request?.headers["x-set"], request?.headers["x-want"]]).toEqual(["/b/c?d", "2", undefined]);
  });

  it("answer by themselves, or refuse the call where there is no place for an answer", async () => {
    const tried = await through(door, [{ respond: { status: 418, body: "tea" } }], {});
    if (door === "agent" || door === "upgrade") expect(tried.error).toMatchObject({ code: "ERR_MESH_ROUTE", maybeExecuted: false });
    else expect(tried.answer).toMatchObject({ status: 418, text: "tea" });
    expect(numbers(tried)).toEqual({ svc: 0, other: 0, old: 0 });
  });

  it("change the headers of the response, or refuse the call", async () => {
    const tried = await through(door, [{ responseHeaders: { set: { "x-more": "1" } } }], {});
    if (door === "agent") expect(tried.error).toMatchObject({ code: "ERR_MESH_ROUTE" });
    else expect(JSON.stringify(tried.answer?.headers)).toContain("x-more");
  });

  it("are asked of no service that may not be called", async () => {
    const routes: readonly Route[] = [{ to: "other" }];
    const tried = await through(door, routes, {}, { serviceNames: ["other"] });
    expect(String(tried.error)).toContain("svc");
    expect(numbers(tried)).toEqual({ svc: 0, other: 0, old: 0 });
  });

  it("let authorize decide on what is sent", async () => {
    const authorize = ({ service }: { readonly service: string }) => service !== "other";
    const tried = await through(door, [{ to: "other" }], {}, { authorize });
    expect(tried.error).toMatchObject({ code: "ERR_MESH_FORBIDDEN", service: "other" });
    expect(numbers(tried)).toEqual({ svc: 0, other: 0, old: 0 });
  });

  it("are waited for where a source tells of them later", async () => {
    const source = {
      name: "later",
      watch(onRoutes: (routes: readonly Route[]) => void) {
        const timer = setTimeout(() => onRoutes([{ to: "other" }]), 20);
        return () => clearTimeout(timer);
      },
    };
    expect(numbers(await through(door, source, {}))).toEqual({ svc: 0, other: 1, old: 0 });
  });

  it("end a call that waits for them with the mesh", async () => {
    const mesh = createMesh({ discovery: staticDiscovery({}), drainTimeoutMs: 0, routes: { name: "never", watch: () => () => {} } });
    const waiting = rejectionOf(doors[door](mesh));
    await new Promise(setImmediate);
    await mesh.close();
    expect(await waiting).toMatchObject({ code: "ERR_MESH_CLOSED", maybeExecuted: false });
  });
});
