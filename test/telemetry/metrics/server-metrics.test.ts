import { afterEach, beforeEach, expect, test } from "vitest";
import type { ServerReading } from "../../../src/core/observing/reading.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { MetricsSdk, ShownMesh } from "../support.ts";

let sdk: MetricsSdk;
let mesh: ShownMesh;
beforeEach(() => {
  sdk = new MetricsSdk();
  mesh = new ShownMesh();
});
afterEach(() => sdk.close());

/** The servers that are shown: `orders draining 1`, without the zeros. */
async function shown(): Promise<readonly string[]> {
  const points = await sdk.points("inmesh.servers");
  return points
    .filter((point) => point.value > 0)
    .map(({ attributes, value }) => `${attributes["server.service.name"]} ${attributes["inmesh.server.state"]} ${value}`);
}

const server = (state: ServerReading["state"], service = "orders"): ServerReading => ({
  service,
  state,
  sinceMs: 0,
  open: 0,
  connections: 0,
});

test("servers are counted by service and state, and their states go back to zero", async () => {
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  mesh.served = [server("serving"), server("serving"), server("lame-duck", "admin")];
  expect(await shown()).toEqual(["orders serving 2", "admin lame-duck 1"]);
  mesh.served = [server("draining")];
  expect(await shown()).toEqual(["orders draining 1"]);
  mesh.served = [];
  expect(await shown()).toEqual([]);
});

test("requests that a server has cut off are counted, from a zero that is there before", async () => {
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  const event = { type: "serving", service: "orders", state: "stopped", open: 0 } as const;
  observer.onEvent?.({ ...event, cutOff: 0 });
  expect((await sdk.points("inmesh.server.cut_off")).map(({ value }) => value)).toEqual([0]);
  observer.onEvent?.({ ...event, cutOff: 2 });
  expect((await sdk.points("inmesh.server.cut_off")).map(({ value, attributes }) => [value, attributes])).toEqual([
    [2, { "server.service.name": "orders" }],
  ]);
});
