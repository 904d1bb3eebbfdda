import { expect, test } from "vitest";
import type { CanaryEvent } from "../../../../src/core/observing/events.ts";
import type { MeshReading } from "../../../../src/core/observing/reading.ts";
import type { CanaryReading } from "../../../../src/core/observing/routes/canary-reading.ts";
import { openTelemetry } from "../../../../src/telemetry/open-telemetry.ts";
import { MetricsSdk } from "../../support.ts";

const sdk = new MetricsSdk();
const event = (rule: string, change: CanaryEvent["change"]): CanaryEvent => ({
  type: "canary",
  service: "orders",
  rule,
  change,
  state: "rolled-back",
  share: 0,
  isAlone: true,
  why: "it failed",
});

test("canaries have a share and a state, zeros once their rule is gone, and their changes are counted", async () => {
  let canaries: readonly Partial<CanaryReading>[] = [{ rule: "checkout", state: "holding", share: 0.25 }];
  const observer = openTelemetry();
  const none = () => [];
  const reading = { zone: undefined, services: none, registrations: none, servers: none, canaries: () => canaries };
  observer.onOpen?.(reading as unknown as MeshReading);
  observer.onEvent?.(event("checkout", "step"));
  observer.onEvent?.(event("checkout", "rolled-back"));
  observer.onEvent?.(event("checkout", "rolled-back"));
  const of = async (name: string, label: string) =>
    Object.fromEntries((await sdk.points(name)).map(({ attributes, value }) => [String(attributes[label]), value]));
  expect(await of("inmesh.canary.state", "inmesh.canary.state")).toEqual({ stepping: 0, holding: 1, "rolled-back": 0, finished: 0 });
  expect(await of("inmesh.canary.share", "inmesh.route.rule")).toEqual({ checkout: 0.25 });
  expect(await of("inmesh.canary.changes", "inmesh.canary.change")).toEqual({ step: 1, "rolled-back": 2 });
  canaries = [];
  expect(await of("inmesh.canary.state", "inmesh.canary.state")).toEqual({ stepping: 0, holding: 0, "rolled-back": 0, finished: 0 });
  observer.onClose?.();
});

test("rules without end make no series without end", async () => {
  const observer = openTelemetry();
  for (let rule = 0; rule < 300; rule++) observer.onEvent?.(event(`r${rule}`, "began"));
  const points = await sdk.points("inmesh.canary.changes");
  expect(points.length).toBeLessThanOrEqual(103);
  expect(points.find(({ attributes }) => attributes["inmesh.route.rule"] === "_OTHER")?.value).toBe(200);
});
