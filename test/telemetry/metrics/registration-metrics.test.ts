import { afterEach, beforeEach, expect, test } from "vitest";
import type { RegistrationReading } from "../../../src/core/observing/reading.ts";
import { RegistrationMetrics } from "../../../src/telemetry/metrics/registration-metrics.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { MetricsSdk, ShownMesh } from "../support.ts";

let sdk: MetricsSdk;
let mesh: ShownMesh;
beforeEach(() => {
  sdk = new MetricsSdk();
  mesh = new ShownMesh();
});
afterEach(() => sdk.close());

/** The registrations that are shown: `orders failing 1`, without the zeros. */
async function shown(): Promise<readonly string[]> {
  const points = await sdk.points("inmesh.registrations");
  return points
    .filter((point) => point.value > 0)
    .map(({ attributes, value }) => `${attributes["server.service.name"]} ${attributes["inmesh.registration.state"]} ${value}`);
}

const at = (registry: string, state: RegistrationReading["state"], service = "orders"): RegistrationReading => ({
  service,
  id: "o1",
  registry,
  state,
});

test("registrations are counted by service and state, and their states go back to zero", async () => {
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  mesh.registered = [at("a", "registered"), at("b", "failing"), at("a", "pending", "admin")];
  expect(await shown()).toEqual(["orders registered 1", "orders failing 1", "admin pending 1"]);
  mesh.registered = [at("a", "registered"), at("b", "registered")];
  expect(await shown()).toEqual(["orders registered 2"]);
  mesh.registered = [];
  expect(await shown()).toEqual([]);
  expect(await sdk.points("inmesh.registrations")).toHaveLength(6);
});

test("a program that registers under ever new names has a bounded number of series", () => {
  const metrics = new RegistrationMetrics({ current: () => undefined, close: () => {} });
  const services = new Set<unknown>();
  for (let number = 0; number < 200; number++) {
    mesh.registered = [at("a", "registered", `tenant-${number}`)];
    services.clear();
    metrics.report(mesh, (_metric, _value, attributes) => services.add(attributes["server.service.name"]));
  }
  expect(services.size).toBeLessThanOrEqual(129);
  expect(services).toContain("tenant-199");
});

test("a registration that was lost is counted, from a zero that is there before, and one that only fails is not", async () => {
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  const event = { type: "registration", service: "orders", id: "o1", registry: "a", error: new Error("x") } as const;
  observer.onEvent?.({ ...event, state: "failing", lost: false });
  expect((await sdk.points("inmesh.registration.losses")).map(({ value }) => value)).toEqual([0]);
  observer.onEvent?.({ ...event, state: "registered", lost: true });
  observer.onEvent?.({ ...event, state: "failing", lost: true });
  expect((await sdk.points("inmesh.registration.losses")).map(({ value, attributes }) => [value, attributes])).toEqual([
    [2, { "server.service.name": "orders" }],
  ]);
});
