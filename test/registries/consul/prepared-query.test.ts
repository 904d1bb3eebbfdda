import { afterEach, describe, expect, it } from "vitest";
import { type ConsulOptions, consul } from "../../../src/registries/consul.ts";
import { endpointsIn } from "../../discovery/sources.ts";
import { ManualClock } from "../manual-clock.ts";
import { answer, entry, refuse, type Script, type ScriptedConsul, scriptedConsul } from "./scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function rig(script: Script, options: ConsulOptions = {}) {
  const server: ScriptedConsul = await scriptedConsul(script);
  cleanups.push(() => server[Symbol.asyncDispose]());
  const clock = new ManualClock();
  const registry = consul({ url: server.url, clock, random: () => 0.5, preparedQuery: "{service}-nearest", ...options });
  cleanups.push(() => registry.close());
  const watch = registry.watch("orders", new AbortController().signal)[Symbol.asyncIterator]();
  const ports = async () => endpointsIn((await watch.next()).value ?? []).map(({ port }) => port);
  return { server, clock, registry, ports };
}

const nodes = (...ports: readonly number[]) => ({ Service: "orders", Nodes: ports.map((port) => entry(port)), Failovers: 0 });

describe("a prepared query", () => {
  it("is executed for the service, with the parameters that it takes, and again after each pause", async () => {
    let listed = [8_081];
    const script: Script = (_request, response) => answer(response, nodes(...listed));
    const { server, clock, ports } = await rig(script, { datacenter: "dc2", near: "_agent", namespace: "team", pollMs: 2_000 });
    expect(await ports()).toEqual([8_081]);
    const { path, query } = server.seen[0] ?? expect.fail();
    expect(path).toBe("/v1/query/orders-nearest/execute");
    expect(Object.fromEntries(query)).toEqual({ dc: "dc2", near: "_agent", ns: "team", stale: "1" });
    listed = [8_081, 8_082];
    const next = ports();
    await expect.poll(() => clock.delays).toContain(2_000);
    clock.advance(2_000);
    expect(await next).toEqual([8_081, 8_082]);
  });

  it("is executed at once after a hint, and its answers are filtered by tags and checks as others are", async () => {
    const { server, registry, clock, ports } = await rig((_request, response) => answer(response, nodes(8_081)), { tags: ["v2"] });
    expect(await ports()).toEqual([]);
    const next = ports();
    await expect.poll(() => clock.delays).toContain(5_000);
    registry.refresh("orders");
    expect(await next).toEqual([]);
    expect(server.seen).toHaveLength(2);
  });

  it.each<[string, Script, RegExp]>([
    [
      "does not exist",
      (_request, response) => refuse(response, 404, "Query not found"),
      /prepared query orders-nearest: HTTP 404: Query not found$/,
    ],
    ["answers with something else", (_request, response) => answer(response, []), /the answer has no list of nodes/],
    [
      "shows nothing for lack of rights",
      (_request, response) => answer(response, nodes(), { "x-consul-results-filtered-by-acls": "true" }),
      /the token may not read the service/,
    ],
  ])("that %s is a failure", async (_what, script, message) => {
    const { ports } = await rig(script);
    await expect(ports()).rejects.toMatchObject({ code: "ERR_MESH_DISCOVERY", service: "orders", message: expect.stringMatching(message) });
  });

  it("is no place for a filter, which it would ignore", () => {
    expect(() => consul({ preparedQuery: "q", filter: "a == b" })).toThrow("consul: filter does not apply to a preparedQuery");
    expect(() => consul({ preparedQuery: "" })).toThrow(/^consul: preparedQuery/);
    expect(() => consul({ pollMs: 0 })).toThrow(/^consul: pollMs/);
  });
});

describe("a namespace", () => {
  it("is said in every request: queries, the catalogue, registrations and their end", async () => {
    const script: Script = ({ path }, response) => answer(response, path.startsWith("/v1/health/") ? [entry(8_081)] : { orders: [] });
    const server = await scriptedConsul(script);
    cleanups.push(() => server[Symbol.asyncDispose]());
    const registry = consul({ url: server.url, namespace: "team" });
    cleanups.push(() => registry.close());
    await registry.watch("orders", new AbortController().signal)[Symbol.asyncIterator]().next();
    await registry.services(new AbortController().signal);
    const registration = await registry.register({ service: "orders", host: "127.0.0.1", port: 80 });
    await registration.setStatus("out-of-service");
    await registration.deregister();
    expect(server.seen.length).toBeGreaterThanOrEqual(5);
    for (const { path, query } of server.seen) expect([path, query.get("ns")]).toEqual([path, "team"]);
  });
});
