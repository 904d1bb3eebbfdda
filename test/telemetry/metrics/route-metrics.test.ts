import { expect, test } from "vitest";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";
import { callEnd, MetricsSdk } from "../support.ts";

const sdk = new MetricsSdk();
const request = testRequest({ service: "orders" });

test("calls are counted by rule and target, those without a rule as such, and those of a mesh without routes not at all", async () => {
  const observer = openTelemetry();
  const call = (rule?: string, target?: string) => {
    const follower = observer.onCall?.(request);
    follower?.onRouted?.({
      routed: rule === undefined ? undefined : { rule, target, subset: undefined, options: undefined },
      service: undefined,
    });
    follower?.onEnd?.(callEnd({ status: rule === "broken" ? 503 : 200 }));
  };
  call("split", "old");
  call("split", "new");
  call("split", "new");
  call("broken");
  call();
  observer.onCall?.(request)?.onEnd?.(callEnd());
  const points = await sdk.points("inmesh.route.calls");
  expect(
    points.map(({ attributes, value }) => [
      attributes["inmesh.route.rule"],
      attributes["inmesh.route.target"],
      attributes["inmesh.outcome"],
      value,
    ]),
  ).toEqual([
    ["split", "old", "success", 1],
    ["split", "new", "success", 2],
    ["broken", undefined, "error", 1],
    ["_none", undefined, "success", 1],
  ]);
});

test("rules without end make no series without end", async () => {
  const observer = openTelemetry();
  for (let rule = 0; rule < 3_000; rule++)
    observer.onEvent?.({ type: "fault", service: "orders", rule: `r${rule}`, request, fault: "delay", status: undefined });
  const points = await sdk.points("inmesh.faults");
  expect(points.length).toBe(1_001);
  expect(points.find(({ attributes }) => attributes["inmesh.route.rule"] === "_OTHER")?.value).toBe(2_000);
});

test("a call counts for the service that a rule sends it to", async () => {
  const service = await serve();
  const mesh = meshOf(
    { orders: service.port },
    { observers: [openTelemetry()], routes: [{ name: "api", match: { service: "api" }, to: "orders" }] },
  );
  for (let call = 0; call < 2; call++) await (await mesh.fetch("api/1")).text();
  const calls = await sdk.points("inmesh.client.call.duration");
  expect(calls.map(({ attributes }) => attributes["server.service.name"])).toContain("orders");
  expect(calls.map(({ attributes }) => attributes["server.service.name"])).not.toContain("api");
  expect(calls.find(({ attributes }) => attributes["server.service.name"] === "orders")?.count).toBe(2);
});
