import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { MeshError } from "../../src/core/errors.ts";
import { consul } from "../../src/registries/consul.ts";
import { Canary } from "../../src/routing/canary/canary.ts";
import { canarySettings } from "../../src/routing/canary/canary-settings.ts";
import { SharedDecision } from "../../src/routing/canary/shared-decision.ts";
import { testRequest } from "../../src/testing/index.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";
import { openResponse } from "../support/open-response.ts";
import { rejectionOf } from "../support/rejection.ts";
import { until } from "../support/until.ts";

const { signal } = new AbortController();

describe.skipIf(!available("consul"))("the state of canaries in a real Consul", () => {
  it("has entries with versions, of which one process is first to write each, and those of a process as long as its session", async () => {
    await using server = await startConsul();
    const [one, other] = [consul({ url: server.url }).canaryState(), consul({ url: server.url }).canaryState()];
    onTestFinished(() => other.close?.());
    expect(await one.read("checkout/1", signal)).toEqual(new Map());
    expect(await one.write("checkout/1", "decision", '{"step":0}', "absent", signal)).toBe(true);
    expect(await other.write("checkout/1", "decision", '{"step":9}', "absent", signal)).toBe(false);
    const before = (await other.read("checkout/1", signal)).get("decision");
    expect(before?.value).toBe('{"step":0}');
    const version = { version: before?.version ?? "" };
    expect(await other.write("checkout/1", "decision", '{"step":1}', version, signal)).toBe(true);
    expect(await one.write("checkout/1", "decision", '{"step":2}', version, signal)).toBe(false);
    for (const value of ["1", "2"]) {
      expect(await one.write("checkout/1", "process one", value, "own", signal)).toBe(true);
      expect(await other.write("checkout/1", "process other", value, "own", signal)).toBe(true);
    }
    const entries = await one.read("checkout/1", signal);
    expect([...entries].map(([name, { value }]) => [name, value]).sort()).toEqual([
      ["decision", '{"step":1}'],
      ["process one", "2"],
      ["process other", "2"],
    ]);
    await one.close?.();
    await until("its counts are gone", async () => !(await other.read("checkout/1", signal)).has("process one"));
    // A session that an operator ends, or that Consul has lost.
    const sessions = (await (await fetch(`${server.url}/v1/session/list`)).json()) as { ID: string }[];
    for (const { ID } of sessions) await server.put(`/v1/session/destroy/${ID}`);
    expect(await other.write("checkout/1", "process other", "3", "own", signal)).toBe(true);
    await server.put("/v1/kv/inmesh/canaries/checkout/1/strange", "not ours");
    expect([...(await other.read("checkout/1", signal)).keys()].sort()).toEqual(["decision", "process other"]);
  });

  it("asks with its token, says which key it may not write, and refuses a prefix that is none", async () => {
    await using server = await startConsul({ acl: true });
    const state = consul({ url: server.url }).canaryState("inmesh/canaries");
    const error = await rejectionOf(state.write("checkout", "decision", "{}", "absent", signal));
    expect(String(error)).toContain("403");
    for (const prefix of ["", "/a", "a/", "a/../b"])
      expect(() => consul().canaryState(prefix)).toThrow(/consul: canaryState .*must be a key such as/);
  });

  it("rolls a bad canary of three processes back in all of them", async () => {
    await using server = await startConsul();
    const canaries = Array.from({ length: 3 }, (_, process) => {
      const state = consul({ url: server.url }).canaryState();
      const settings = canarySettings({ steps: [30, 60], minCalls: 10, stepMs: 1_000 });
      const canary = new Canary({
        rule: "checkout",
        service: "orders",
        targets: ["v1", "v2"],
        settings,
        isSticky: false,
        clock: systemClock,
        events: { emit: undefined },
        shared: new SharedDecision(state, "checkout/1", settings.shares.length, `process-${process}`),
      });
      onTestFinished(async () => {
        canary.close();
        await state.close?.();
      });
      return canary;
    });
    const receiver = { answered: () => {}, failed: () => {} };
    await until(
      "all have gone back",
      () => {
        for (const canary of canaries) {
          for (let call = 0; call < 10; call++) {
            const target = Math.random() < (canary.weights[1] ?? 0) / 1_000_000 ? 1 : 0;
            const followed = canary.follow(testRequest({ service: "orders" }), target, undefined, receiver);
            if (target === 1 && Math.random() < 0.5) followed.failed(new MeshError("ERR_MESH_PROTOCOL", "broken"));
            else followed.answered(openResponse(200));
          }
        }
        return canaries.every((canary) => canary.reading().state === "rolled-back");
      },
      30_000,
    );
    expect(canaries.map((canary) => canary.weights)).toEqual(Array(3).fill([1_000_000, 0]));
    expect(canaries[0]?.reading().sharedBy).toContain("consul at ");
  });
});
