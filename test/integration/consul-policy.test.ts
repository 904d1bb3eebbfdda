import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { consul } from "../../src/registries/consul.ts";
import { serve } from "../../src/server/server.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { until } from "../support/until.ts";

const key = "inmesh/orders/policy";
const allow = (path: string): string => `rules:\n  - id: read\n    action: allow\n    to: { methods: [GET], paths: ["${path}"] }\n`;

describe.skipIf(!available("consul"))("a policy in the store of a real Consul", () => {
  it("refuses all until the key is there, follows each good value, and keeps the last good one through bad ones, an absent key and an outage", async () => {
    await using server = await startConsul({ acl: true });
    const Rules = `key "${key}" { policy = "read" }`;
    await server.put("/v1/acl/policy", { Name: "reads-policy", Rules });
    const token = (await server.put("/v1/acl/token", { Policies: [{ Name: "reads-policy" }] })) as { SecretID: string };
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void (warning.name === "MeshPolicyWarning" && warnings.push(warning.message));
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));

    const registry = consul({ url: server.url, token: token.SecretID, minIntervalMs: 0 });
    const listener = createServer((_request, response) => void response.end("ok")).listen(0, "127.0.0.1");
    const serving = serve(listener, { lameDuckMs: 0, log: false, inbound: { authorization: { source: registry.policy(key) } } });
    await serving.started;
    const port = (listener.address() as AddressInfo).port;
    const statusOf = async (path: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      await response.arrayBuffer();
      return response.status;
    };
    try {
      await until("the absent key is said", () => warnings.length === 1, 20_000);
      expect(warnings[0]).toBe(
        `the key ${key} of consul at ${server.url}: there is no such key, or it has no value; every request is refused until there is one`,
      );
      expect(await statusOf("/orders")).toBe(503);

      await server.put(`/v1/kv/${key}`, allow("/orders"));
      await until("the first policy", async () => (await statusOf("/orders")) === 200, 20_000);
      expect(await statusOf("/stock")).toBe(403);

      await server.put(`/v1/kv/${key}`, allow("/stock"));
      await until("the second policy", async () => (await statusOf("/stock")) === 200, 20_000);
      expect(await statusOf("/orders")).toBe(403);

      await server.put(`/v1/kv/${key}`, `${allow("/**")}    too: { paths: ["/x"] }\n`);
      await until("the fault is said", () => warnings.length === 2, 20_000);
      expect(warnings[1]).toBe(
        `the key ${key} of consul at ${server.url}:5:5: rules[0].too: there is no such field; did you mean to?; the last good policy stays in force`,
      );
      expect([await statusOf("/stock"), await statusOf("/orders")]).toEqual([200, 403]);

      await fetch(`${server.url}/v1/kv/${key}`, { method: "DELETE", headers: { "x-consul-token": server.token ?? "" } });
      await until("the deletion is said", () => warnings.length === 3, 20_000);
      expect([await statusOf("/stock"), await statusOf("/orders")]).toEqual([200, 403]);

      // Its memory is empty after that, its indexes begin anew, and the token is unknown to it.
      await server.restart();
      await until("the refusal is said", () => warnings.some((each) => each.includes("403") || each.includes("ACL")), 40_000);
      expect([await statusOf("/stock"), await statusOf("/orders")]).toEqual([200, 403]);
      await server.put("/v1/acl/policy", { Name: "reads-policy", Rules });
      await server.put("/v1/acl/token", { SecretID: token.SecretID, Policies: [{ Name: "reads-policy" }] });
      await server.put(`/v1/kv/${key}`, allow("/later"));
      await until("the policy after the outage", async () => (await statusOf("/later")) === 200, 60_000);
      expect(await statusOf("/stock")).toBe(403);
      expect(warnings.join("\n")).not.toContain(token.SecretID);
    } finally {
      await serving.stop();
    }
  }, 180_000);
});
