import { afterEach, describe, expect, it } from "vitest";
import type { PolicyListener } from "../../../../src/authorization/sources/policy-source.ts";
import { type ConsulOptions, consul } from "../../../../src/registries/consul.ts";
import { settle, until } from "../../../support/until.ts";
import { answer, refuse, type Script, scriptedConsul } from "../scripted-consul.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const entry = (text: string | null): object[] => [
  { Key: "inmesh/orders/policy", Value: text === null ? null : Buffer.from(text).toString("base64") },
];

async function rig(script: Script, options: ConsulOptions = {}, key = "inmesh/orders/policy") {
  const server = await scriptedConsul(script);
  cleanups.push(() => server[Symbol.asyncDispose]());
  const updates: unknown[] = [];
  const failures: string[] = [];
  const listener: PolicyListener = { update: (policy) => void updates.push(policy), fail: ({ message }) => void failures.push(message) };
  const source = consul({ url: server.url, minIntervalMs: 0, random: () => 0, ...options }).policy(key);
  const watch = source.watch(listener);
  cleanups.push(() => watch.close());
  return { server, updates, failures, source, watch };
}

describe("a policy in Consul's store", () => {
  it("is the value of the key, asked for by blocking queries, and told once as long as it is the same", async () => {
    const { server, updates, failures } = await rig(
      (_request, response, number) => {
        if (number < 4) answer(response, entry(number < 3 ? "rules: []" : "rules: [] # new"), { "x-consul-index": String(7 + number) });
      },
      { token: "the-token", datacenter: "dc1", waitMs: 20_000 },
    );
    await until("the new value", () => updates.length === 2);
    await until("the fifth question", () => server.seen.length === 5);
    expect(updates).toEqual(["rules: []", "rules: [] # new"]);
    expect(failures).toEqual([]);
    expect(server.seen[0]).toMatchObject({ path: "/v1/kv/inmesh/orders/policy", method: "GET" });
    expect(server.seen[0]?.headers["x-consul-token"]).toBe("the-token");
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "7", "8", "9", "10"]);
    expect(server.seen[4]?.query.get("wait")).toBe("20000ms");
    expect(server.seen.every(({ query }) => query.get("dc") === "dc1" && !query.has("stale"))).toBe(true);
  });

  it("that is not there is a failure of the source, which waits for the key with the index of the answer", async () => {
    const { server, updates, failures } = await rig((_request, response, number) => {
      if (number === 0) answer(response, null, { "x-consul-index": "12" }, 404);
      else if (number === 1) answer(response, entry("rules: []"), { "x-consul-index": "13" });
      else if (number === 2) answer(response, null, { "x-consul-index": "14" }, 404);
      else if (number === 3) answer(response, entry("rules: []"), { "x-consul-index": "15" });
    });
    await until("the key is back", () => updates.length === 2);
    expect(failures).toEqual(["there is no such key, or it has no value", "there is no such key, or it has no value"]);
    expect(server.seen.slice(0, 4).map(({ query }) => query.get("index"))).toEqual([null, "12", "13", "14"]);
  });

  it.each([
    ["a value that is no UTF-8", [{ Value: "/w==" }], "the value of the key is no UTF-8"],
    ["a key without a value", entry(null), "there is no such key, or it has no value"],
    ["an answer about several keys", [...entry("a"), ...entry("b")], "the answer is no value of one key"],
    ["an answer that is no list", { Value: "" }, "the answer is no value of one key"],
  ])("is not there in %s", async (_name, body, message) => {
    const { updates, failures } = await rig((request, response) => {
      if (!request.query.has("index")) answer(response, body);
    });
    await until("a failure", () => failures.length > 0);
    expect(failures[0]).toBe(message);
    expect(updates).toEqual([]);
  });

  it("stays while the agent fails, is told again after it, and the right that the token lacks is said without the token", async () => {
    const { updates, failures } = await rig(
      (_request, response, number) => {
        if (number === 0) answer(response, entry("rules: []"));
        else if (number === 1) refuse(response, 403, "Permission denied: token the-token lacks permission 'key:read'");
        else if (number === 2) answer(response, entry("rules: []"));
      },
      { token: "the-token" },
    );
    await until("the value after the failure", () => updates.length === 2);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain('(the token needs key:read for "inmesh/orders/policy")');
    expect(failures[0]).not.toContain("the-token");
  });

  it("pauses between questions that fail, longer each time, and starts with no index again", async () => {
    const { server, failures } = await rig(
      (_request, response, number) => {
        if (number === 0) answer(response, entry("rules: []"), { "x-consul-index": "40" });
        else refuse(response, 500, "no leader");
      },
      { random: () => 1 },
    );
    await until("two failures", () => failures.length === 2);
    expect(server.seen.map(({ query }) => query.get("index"))).toEqual([null, "40", null]);
    await settle();
    expect(server.seen).toHaveLength(3);
  });

  it("tells nothing after it is closed, and its question ends", async () => {
    const { server, updates, failures, watch } = await rig((request, response) => {
      if (!request.query.has("index")) answer(response, entry("rules: []"));
    });
    await until("the blocking query", () => server.seen.length === 2);
    watch.close();
    await until("the connections end", () => server.connections === 0);
    expect([updates.length, failures.length]).toEqual([1, 0]);
  });

  it("has a key that names one value: others are refused at once", () => {
    for (const key of ["", "/a", "a/", "a//b", "a/../b", "./a", undefined])
      expect(() => consul().policy(key as string), String(key)).toThrow(/^consul: policy must be a key such as/);
    expect(consul().policy("a b/ü?x=1").name).toBe("the key a b/ü?x=1 of consul at http://127.0.0.1:8500");
  });

  it("is asked for by a path in which no character of the key means more than itself", async () => {
    const { server, updates } = await rig((_request, response) => answer(response, entry("rules: []")), {}, "a b/ü?x=1#y&recurse");
    await until("the value", () => updates.length === 1);
    expect(server.seen[0]?.path).toBe("/v1/kv/a%20b/%C3%BC%3Fx%3D1%23y%26recurse");
    expect(server.seen[0]?.query.has("recurse")).toBe(false);
  });
});
