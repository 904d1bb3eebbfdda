import { describe, expect, it } from "vitest";
import { admin } from "../../src/admin/admin.ts";
import type { MeshEvent } from "../../src/extend.ts";
import type { RouteSource } from "../../src/index.ts";
import { type CanaryState, createMesh, type MeshOptions, memoryCanaryState, type Route } from "../../src/index.ts";
import { memoryRegistry, seededRandom } from "../../src/testing/index.ts";
import { doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

function routesWith(canary: object, more: object = {}): readonly Route[] {
  const target = (version: string) => ({ name: `v${version}`, subset: { metadata: { version } } });
  return [{ name: "svc canary", match: { service: "svc" }, split: { targets: [target("1"), target("2")], canary, ...more } }];
}

const half = { steps: [50], minCalls: 10, stepMs: 1_000 };

/** A mesh with a canary over two instances, of which the second is the new version. */
async function canaryMesh(options: Partial<MeshOptions> = {}, statusOf: (call: number) => number = () => 200) {
  const registry = memoryRegistry();
  let calls = 0;
  for (const version of ["1", "2"]) {
    const { port } = await serve((_request, response) => {
      response.statusCode = version === "2" ? statusOf(calls++) : 200;
      response.end(version);
    });
    registry.add("svc", { id: `svc-${version}`, host: "127.0.0.1", port, metadata: { version } });
  }
  const events: MeshEvent[] = [];
  const observer = { onEvent: (event: MeshEvent) => void (event.type === "canary" && events.push(event)) };
  const given = { discovery: registry, observers: [observer], drainTimeoutMs: 0, breaker: false, random: seededRandom(4) } as const;
  const mesh = closing(createMesh({ ...given, routes: routesWith(half), ...options }));
  return { mesh, events, registry };
}

describe("a canary", () => {
  it.each(["fetch", "request", "dispatcher"] as const)(
    "that fails is rolled back by calls of %s, which go to the stable target then",
    async (door) => {
      const { mesh, events } = await canaryMesh({ retry: false }, () => 500);
      expect(mesh.canaries()).toMatchObject([{ rule: "svc canary", state: "stepping", share: 0.5, sharedBy: undefined }]);
      await until(
        "it has gone back",
        async () => {
          for (let call = 0; call < 5; call++) await doors[door](mesh);
          return mesh.canary("svc canary")?.reading().state === "rolled-back";
        },
        20_000,
      );
      const answers = new Set<string>();
      for (let call = 0; call < 10; call++) answers.add((await doors[door](mesh)).text);
      expect([...answers]).toEqual(["1"]);
      const changes = events.map((event) => event.type === "canary" && event.change);
      expect(changes.filter((change) => change !== "holding")).toEqual(["began", "rolled-back"]);
      expect(events[0]).toMatchObject({ service: "svc", isAlone: true });
      const explanation = mesh.explain("svc");
      expect(explanation?.canaries).toMatchObject([
        { rule: "svc canary", state: "rolled-back", stable: { target: "v1" }, canary: { target: "v2" } },
      ]);
      expect(String(explanation)).toContain('canary of "svc canary": v2 has 0 % (step 1 of 1), rolled-back: 100 % of ');
      mesh.canary("svc canary")?.resume();
      expect(mesh.canaries()).toMatchObject([{ state: "stepping", share: 0.5 }]);
    },
  );

  it("is blamed for failures that retries make up for", async () => {
    const { mesh } = await canaryMesh({ retry: { maxAttempts: 3, baseDelayMs: 1, budget: { ratio: 1 } } }, (call) =>
      call % 2 === 0 ? 503 : 200,
    );
    await until(
      "it has gone back",
      async () => {
        for (let call = 0; call < 5; call++) expect((await doors.fetch(mesh)).status).toBe(200);
        return mesh.canaries()[0]?.state === "rolled-back";
      },
      20_000,
    );
  });

  it("keeps each key at its target, and moves keys to the canary alone as it grows", async () => {
    const placed = async (percent: number) => {
      const routes = routesWith({ steps: [percent], minCalls: 1_000 }, { sticky: { header: "x-user" } });
      const { mesh } = await canaryMesh({ routes });
      const found: string[] = [];
      for (let user = 0; user < 60; user++) {
        const headers = { "x-user": `user ${user}` };
        const { text } = await doors.fetch(mesh, { headers });
        expect((await doors.request(mesh, { headers })).text).toBe(text);
        found.push(text);
      }
      return found;
    };
    const [few, many] = [await placed(20), await placed(60)];
    expect(new Set(few)).toEqual(new Set(["1", "2"]));
    for (const [user, version] of few.entries()) if (version === "2") expect(many[user]).toBe("2");
    expect(many.filter((version) => version === "2").length).toBeGreaterThan(few.filter((version) => version === "2").length);
  });

  it("goes on where a new table has it unchanged, and begins anew where it has changed", async () => {
    let put: (routes: readonly Route[]) => void = () => {};
    const source: RouteSource = {
      name: "a test",
      watch(onRoutes) {
        put = onRoutes;
        onRoutes(routesWith(half));
        return () => {};
      },
    };
    const { mesh } = await canaryMesh({ routes: source });
    await doors.fetch(mesh);
    mesh.canary("svc canary")?.rollBack("a call");
    put([{ name: "another", match: { service: "other" }, to: "svc" }, ...routesWith(half)]);
    expect(mesh.canaries()).toMatchObject([{ state: "rolled-back", why: "an operator: a call" }]);
    put(routesWith({ ...half, minCalls: 11 }));
    expect(mesh.canaries()).toMatchObject([{ state: "stepping" }]);
    put([]);
    expect(mesh.canaries()).toEqual([]);
    expect(mesh.canary("svc canary")).toBeUndefined();
  });

  it("outlives a change of the configuration, and one that is refused", async () => {
    const { mesh } = await canaryMesh();
    await doors.fetch(mesh);
    mesh.canary("svc canary")?.rollBack("a call");
    mesh.reconfigure({ routes: [...routesWith(half), { name: "another", match: { service: "other" }, to: "svc" }] });
    expect(mesh.canaries()).toMatchObject([{ state: "rolled-back" }]);
    expect(() => mesh.reconfigure({ routes: [{ to: "svc", split: 1 as never }] })).toThrow();
    mesh.canary("svc canary")?.resume();
    expect(mesh.canaries()).toMatchObject([{ state: "stepping", share: 0.5 }]);
    mesh.reconfigure({ routes: [] });
    expect(mesh.canaries()).toEqual([]);
  });

  it("of two meshes with one state is decided on once", async () => {
    const state: CanaryState = memoryCanaryState();
    const routes = routesWith({ ...half, sharedKey: "svc" });
    const [one, other] = [await canaryMesh({ routes, canaryState: state }), await canaryMesh({ routes, canaryState: state })];
    await doors.fetch(one.mesh);
    await doors.fetch(other.mesh);
    await until("both know it", () => [one, other].every(({ mesh }) => mesh.canaries()[0]?.share === 0.5), 10_000);
    one.mesh.canary("svc canary")?.rollBack();
    await until("the other follows", () => other.mesh.canaries()[0]?.state === "rolled-back", 10_000);
    const changes = other.events.map((event) => event.type === "canary" && `${event.change}${event.isAlone ? ", alone" : ""}`);
    expect(changes.filter((change) => change !== "holding")).toEqual(["began", "rolled-back"]);
  });

  it("with a key and no state is refused, and so is a state that is none", () => {
    const discovery = memoryRegistry();
    expect(() => createMesh({ discovery, routes: routesWith({ sharedKey: "svc" }) })).toThrow(
      "routes[0].split.canary.sharedKey needs canaryState, in which several processes take one decision",
    );
    expect(() => createMesh({ discovery, canaryState: {} as never })).toThrow(/canaryState must be a CanaryState/);
  });

  it("is on the live page, with its share and the reason for its state", async () => {
    const { mesh } = await canaryMesh();
    const page = await admin(mesh, { port: 0 });
    try {
      await doors.fetch(mesh);
      const { canaries } = (await (await fetch(`${page.url}api/services/svc`)).json()) as { readonly canaries: readonly object[] };
      expect(canaries).toEqual([
        expect.objectContaining({
          rule: "svc canary",
          service: "svc",
          share: 0.5,
          state: "stepping",
          stable: expect.objectContaining({ target: "v1" }),
          canary: expect.objectContaining({ target: "v2", failures: 0 }),
        }),
      ]);
    } finally {
      await page.close();
    }
  });
});
