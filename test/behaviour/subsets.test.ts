import { describe, expect, it } from "vitest";
import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { pickLease } from "../../src/attempts/pick-lease.ts";
import { Balancer } from "../../src/balancer/balancer.ts";
import { roundRobin } from "../../src/balancer/pickers/round-robin.ts";
import { systemClock } from "../../src/core/clock.ts";
import { meshRequest } from "../../src/core/mesh-request.ts";
import type { Routed, Subset } from "../../src/core/routed.ts";
import type { Interceptor } from "../../src/extend.ts";
import { createMesh, MeshError, type MeshOptions } from "../../src/index.ts";
import { memoryRegistry } from "../../src/testing/index.ts";
import { doors } from "../support/doors.ts";
import { closing } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve } from "../support/servers.ts";

function routedTo(version: string, whenEmpty: Subset["whenEmpty"] = "fail"): Routed {
  const subset: Subset = { name: `version=${version}`, whenEmpty, has: ({ metadata }) => metadata?.["version"] === version };
  return { rule: "by version", target: undefined, subset, options: undefined };
}

/** A mesh that leads every call to a subset, over instances by id and version. */
async function meshTo(routed: Routed, instances: Readonly<Record<string, string>>, options: Partial<MeshOptions> = {}) {
  const registry = memoryRegistry();
  const failing = new Set<string>();
  const begin = async (id: string, version: string) => {
    const { port } = await serve((_request, response) => {
      response.statusCode = failing.has(id) ? 503 : 200;
      response.end(id);
    });
    registry.add("svc", { id, host: "127.0.0.1", port, metadata: { version } });
  };
  for (const [id, version] of Object.entries(instances)) await begin(id, version);
  const lead: Interceptor = (next) => (request) => next({ ...request, routed });
  const mesh = closing(createMesh({ discovery: registry, interceptors: [lead], drainTimeoutMs: 0, ...options }));
  return { mesh, registry, begin, failing };
}

const fleet = { one: "1", two: "2", three: "1", four: "2" };

describe.each(["fetch", "request", "dispatcher"] as const)("by %s", (name) => {
  it("calls go to the instances of their subset alone, their retries too", async () => {
    const { mesh, failing } = await meshTo(routedTo("2"), fleet, { retry: { maxAttempts: 3 } });
    failing.add("two");
    const answers = new Set<string>();
    for (let call = 0; call < 12; call++) answers.add((await doors[name](mesh)).text);
    expect([...answers]).toEqual(["four"]);
    failing.add("four");
    expect(["two", "four"]).toContain((await doors[name](mesh)).text);
  });

  it("a call to an empty subset is refused with the subset, its rule and the instances that there are", async () => {
    const { mesh } = await meshTo(routedTo("3"), fleet, { discoveryTimeoutMs: 50 });
    const error = await rejectionOf(doors[name](mesh));
    expect(error).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS", maybeExecuted: false, attempts: [] });
    expect(String(error)).toContain('no instance of "svc" is of the subset version=3 (rule "by version"): memory registry listed');
    expect(String(error)).toContain("one (version 1), two (version 2)");
  });

  it("a call whose route allows any instance goes to any while its subset is empty", async () => {
    const { mesh } = await meshTo(routedTo("3", "any"), fleet);
    expect(Object.keys(fleet)).toContain((await doors[name](mesh)).text);
  });

  it("a call waits for an instance of its subset as it does for the first answer of discovery", async () => {
    const { mesh, begin } = await meshTo(routedTo("3"), fleet, { discoveryTimeoutMs: 20_000, timeoutMs: 20_000 });
    const call = doors[name](mesh);
    await begin("nine", "9");
    await new Promise((resolve) => setImmediate(resolve));
    await begin("five", "3");
    expect((await call).text).toBe("five");
  });
});

it("a lease is of an instance of the subset, and waits for one", async () => {
  const balancer = new Balancer({ service: "svc", picker: roundRobin() });
  const ledger = new AttemptLedger({ picker: {}, passiveHealth: undefined, clock: systemClock });
  const endpoint = (id: string, version: string) => ({ id, host: "127.0.0.1", port: 1, metadata: { version } });
  balancer.update([endpoint("one", "1")]);
  const request = { ...meshRequest({ service: "svc", method: "GET", path: "/", headers: {}, body: undefined }), routed: routedTo("2") };
  const answers = [
    [endpoint("one", "1"), endpoint("b", "9")],
    [endpoint("one", "1"), endpoint("two", "2")],
  ];
  const wait = {
    isOver: true,
    join: async () => {},
    joinForSubset: async () => {
      const answer = answers.shift();
      if (answer !== undefined) balancer.update(answer);
      return answer !== undefined;
    },
    noEndpoints: async () => new MeshError("ERR_MESH_NO_ENDPOINTS", "none"),
  };
  const lease = await pickLease(request, wait, { balancer, ledger });
  expect(lease.upstream.id).toBe("two");
  lease.settle("success");
  balancer.update([endpoint("one", "1")]);
  expect(await rejectionOf(pickLease(request, wait, { balancer, ledger }))).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
});

it("an explanation has the subsets that calls were led to, and which of their instances are candidates", async () => {
  const { mesh } = await meshTo(routedTo("2"), fleet);
  await (await mesh.fetch("svc/")).text();
  mesh.eject("svc", "two", { forMs: 60_000 });
  const explanation = mesh.explain("svc");
  expect(explanation?.subsets).toEqual([{ name: "version=2", whenEmpty: "fail", endpoints: ["two", "four"], candidates: ["four"] }]);
  expect(String(explanation)).toContain("subset version=2: 1 of 2 endpoints are candidates: four");
});
