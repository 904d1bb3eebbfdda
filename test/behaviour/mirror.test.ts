import { AsyncLocalStorage } from "node:async_hooks";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MirrorEvent } from "../../src/core/observing/routes/route-events.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import type { RouteMirror } from "../../src/routing/route.ts";
import { doors } from "../support/doors.ts";
import { meshOf } from "../support/mesh.ts";
import { closedPort, serve, type TestServer } from "../support/servers.ts";
import { until } from "../support/until.ts";

interface Mirrored {
  readonly mesh: Mesh;
  readonly service: TestServer;
  readonly shadow: TestServer;
  readonly told: string[];
}

/** A service `svc` whose calls are copied to `shadow`. */
async function mirrored(mirror: RouteMirror = {}, options: Partial<MeshOptions> = {}): Promise<Mirrored> {
  const service = await serve((_request, response) => response.end("from svc"));
  const shadow = await serve((_request, response) => response.writeHead(503).end("from the shadow"));
  const told: string[] = [];
  const mesh = meshOf(
    { svc: service.port, shadow: shadow.port },
    {
      routes: [{ name: "shadowed", match: { service: "svc" }, mirror: { service: "shadow", ...mirror } }],
      observers: [
        {
          onEvent(event) {
            if (event.type === "mirror") told.push(saidOf(event));
          },
        },
      ],
      ...options,
    },
  );
  return { mesh, service, shadow, told };
}

function saidOf({ service, rule, outcome, omission }: MirrorEvent): string {
  return `${service} by ${rule}: ${outcome ?? omission}`;
}

describe("copies of calls", () => {
  it.each(["fetch", "request", "dispatcher"] as const)(
    "of %s go to the mirror, and the caller gets the answer of the service",
    async (door) => {
      const { mesh, service, shadow, told } = await mirrored();
      const headers = { authorization: "Bearer S", "x-tenant": "acme" };
      expect(await doors[door](mesh, { path: "/a?b=c", headers })).toMatchObject({ status: 200, text: "from svc" });
      await until("a copy has ended", () => told.length > 0);
      expect(told).toEqual(["shadow by shadowed: failed"]);
      expect(service.seen[0]?.headers).toMatchObject({ authorization: "Bearer S", "x-tenant": "acme" });
      expect(service.seen[0]?.headers["x-mesh-mirrored"]).toBeUndefined();
      const [copy] = shadow.seen;
      expect(copy).toMatchObject({ method: "GET", url: "/a?b=c", headers: { "x-mesh-mirrored": "1", "x-tenant": "acme" } });
      expect(copy?.headers["authorization"]).toBeUndefined();
      expect(Number(copy?.headers["x-mesh-deadline-ms"])).toBeGreaterThan(4_000);
      expect(copy?.headers["x-mesh-caller"]).toBe(service.seen[0]?.headers["x-mesh-caller"]);
    },
  );

  it("are in no statistics of an instance, no budget and no breaker, whatever becomes of them", async () => {
    const { mesh, shadow, told } = await mirrored({}, { retry: { budget: { ratio: 0, minRetriesPerSecond: 1 } } });
    for (let call = 0; call < 30; call++) await (await mesh.fetch("svc/")).text();
    await until("a copy has ended", () => told.length === 30);
    expect(shadow.seen).toHaveLength(30);
    expect(mesh.explain("shadow")?.endpoints[0]).toMatchObject({ attempts: 0, inFlight: 0, state: "available" });
    expect(mesh.explain("svc")?.endpoints[0]).toMatchObject({ attempts: 30, state: "available" });
  });

  it("go to instances of the same service without counting as its attempts", async () => {
    const { mesh, service, told } = await mirrored({ service: "svc" });
    await (await mesh.fetch("svc/")).text();
    await until("a copy has ended", () => told.length > 0);
    expect([service.seen.length, mesh.explain("svc")?.endpoints[0]?.attempts]).toEqual([2, 1]);
  });

  it("are not repeated", async () => {
    const port = await closedPort();
    const service = await serve();
    const told: string[] = [];
    const mesh = meshOf(
      { svc: service.port, gone: [port, port + 1] },
      {
        routes: [{ mirror: { service: "gone" } }],
        observers: [{ onEvent: (event) => void (event.type === "mirror" && told.push(saidOf(event))) }],
      },
    );
    await (await mesh.fetch("svc/")).text();
    await until("a copy has ended", () => told.length > 0);
    expect(told).toEqual(["gone by routes[0]: failed"]);
  });

  it("have the body of the call, text or stream, and the call does not wait for them", async () => {
    const { mesh, service, shadow, told } = await mirrored({ methods: "all" });
    await (await mesh.fetch("svc/", { method: "POST", body: "text" })).text();
    await (await mesh.fetch("svc/", { method: "POST", body: Readable.from(["a", "b"]), duplex: "half" })).text();
    await until("a copy has ended", () => told.length === 2);
    expect(shadow.seen.map(({ body }) => body.toString())).toEqual(["text", "ab"]);
    expect(service.seen.map(({ body }) => body.toString())).toEqual(["text", "ab"]);
  });

  it("do not go where the service of the copy or of the call refuses it", async () => {
    const asked: string[] = [];
    const authorize = ({ service, path }: { service: string; path: string }) => {
      asked.push(`${service}${path}`);
      return path !== "/secret" && !(service === "shadow" && path === "/half");
    };
    const { mesh, shadow, told } = await mirrored({}, { authorize });
    await expect(mesh.fetch("svc/secret")).rejects.toMatchObject({ code: "ERR_MESH_FORBIDDEN" });
    await (await mesh.fetch("svc/half")).text();
    await until("a copy has ended", () => told.length === 2);
    expect(told).toEqual(["shadow by shadowed: forbidden", "shadow by shadowed: forbidden"]);
    expect([shadow.seen, asked.sort()]).toEqual([[], ["shadow/half", "svc/half", "svc/half", "svc/secret", "svc/secret"]]);
  });

  it("carry the token of their service with credentials only", async () => {
    const { mesh, shadow, told } = await mirrored(
      {},
      { services: { shadow: { token: { provider: () => ({ token: "OWN", expiresAtMs: Date.now() + 60_000 }), allowPlain: true } } } },
    );
    await (await mesh.fetch("svc/")).text();
    await until("a copy has ended", () => told.length === 1);
    expect(shadow.seen[0]?.headers["authorization"]).toBeUndefined();
  });

  it("are left out for a service that cannot be called", async () => {
    const service = await serve();
    const told: string[] = [];
    const mesh = meshOf(
      { svc: service.port },
      {
        routes: [{ mirror: { service: "nowhere" } }],
        observers: [{ onEvent: (event) => void (event.type === "mirror" && told.push(saidOf(event))) }],
      },
    );
    expect((await mesh.fetch("svc/")).status).toBe(200);
    await until("a copy has ended", () => told.length > 0);
    expect(told).toEqual(["nowhere by routes[0]: unavailable"]);
  });

  it("are not made of what is marked, nor of what a marked request brings about", async () => {
    const { mesh, service, shadow } = await mirrored();
    await (await mesh.fetch("svc/forwarded", { headers: { "x-mesh-mirrored": "1" } })).text();
    await continueFrom({ "x-mesh-mirrored": "1" }, async () => (await mesh.fetch("svc/caused")).text());
    expect(service.seen.map(({ url, headers }) => [url, headers["x-mesh-mirrored"]])).toEqual([
      ["/forwarded", "1"],
      ["/caused", "1"],
    ]);
    expect(shadow.begun).toEqual([]);
  });

  it("end when the mesh is closed", async () => {
    const hanging = await serve(() => {});
    const service = await serve();
    const told: string[] = [];
    const mesh = meshOf(
      { svc: service.port, shadow: hanging.port },
      {
        routes: [{ mirror: { service: "shadow", timeoutMs: 60_000 } }],
        observers: [{ onEvent: (event) => void (event.type === "mirror" && told.push(saidOf(event))) }],
      },
    );
    await (await mesh.fetch("svc/")).text();
    await until("a copy has ended", () => hanging.seen.length === 1);
    await mesh.close();
    expect(told).toEqual(["shadow by routes[0]: cancelled"]);
  });

  it("do not keep what the caller holds in its context longer than they need", async () => {
    const context = new AsyncLocalStorage<string>();
    onTestFinished(() => context.disable());
    const { mesh, told } = await mirrored();
    const seen = await context.run("mine", async () => {
      await (await mesh.fetch("svc/")).text();
      return context.getStore();
    });
    await until("a copy has ended", () => told.length > 0);
    expect([seen, context.getStore()]).toEqual(["mine", undefined]);
  });

  it("are never made of requests of an agent and of upgrades", async () => {
    const { mesh, shadow } = await mirrored();
    expect((await doors.agent(mesh)).text).toBe("from svc");
    expect(shadow.begun).toEqual([]);
  });
});
