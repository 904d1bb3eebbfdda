import { afterEach, beforeEach, expect, test } from "vitest";
import type { InstanceFigures } from "../../../src/core/observing/reading.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { changeState, identityReading, MetricsSdk, oneAttempt, resolved, ShownMesh, serviceReading } from "../support.ts";

let sdk: MetricsSdk;
let mesh: ShownMesh;
beforeEach(() => {
  sdk = new MetricsSdk();
  mesh = new ShownMesh();
});
afterEach(() => sdk.close());

const request = testRequest({ service: "orders" });
const upstream = testUpstream({ service: "orders" });

/** The value of each point, by one of its attributes. */
async function by(attribute: string, name: string): Promise<Record<string, number>> {
  return Object.fromEntries((await sdk.points(name)).map((point) => [String(point.attributes[attribute]), point.value]));
}
const value = async (name: string) => (await sdk.points(name)).map((point) => point.value);

test("each number of a service has its gauge, in seconds where it is a time, and shows what is there when somebody collects", async () => {
  const observer = openTelemetry();
  mesh.shown = [serviceReading("orders")];
  observer.onOpen?.(mesh);
  // An SDK is found at the first measurement.
  oneAttempt(observer, request, upstream);
  expect(await value("inmesh.client.active_calls")).toEqual([0]);
  mesh.shown = [
    serviceReading("orders", {
      inFlight: 7,
      endpoints: { available: 5, ejected: 3, probing: 1, unhealthy: 2 },
      avoided: 2,
      unconfirmed: 4,
      panicking: true,
      breaker: "half-open",
      discoveryAgeMs: 1_500,
      retryBudget: 12,
      concurrency: { inFlight: 20, queued: 3, limit: 20.5 },
    }),
  ];
  expect(await value("inmesh.client.active_calls")).toEqual([7]);
  expect(await by("inmesh.endpoint.state", "inmesh.endpoints")).toEqual({ available: 5, ejected: 3, probing: 1, unhealthy: 2 });
  expect(await by("inmesh.breaker.state", "inmesh.breaker.state")).toEqual({ closed: 0, open: 0, "half-open": 1 });
  expect(await value("inmesh.discovery.unconfirmed")).toEqual([4]);
  expect(await value("inmesh.endpoints.avoided")).toEqual([2]);
  expect(await value("inmesh.panic")).toEqual([1]);
  expect(await value("inmesh.discovery.age")).toEqual([1.5]);
  expect(await value("inmesh.retry.budget")).toEqual([12]);
  expect(await value("inmesh.concurrency.limit")).toEqual([20.5]);
  expect(await value("inmesh.concurrency.in_flight")).toEqual([20]);
  expect(await value("inmesh.concurrency.queued")).toEqual([3]);
});

test("there is no age before discovery answered, no concurrency without a limit, no expiry without a certificate", async () => {
  const observer = openTelemetry();
  mesh.shown = [serviceReading("orders", { discoveryAgeMs: undefined })];
  observer.onOpen?.(mesh);
  oneAttempt(observer, request, upstream);
  const names = [...(await sdk.collect()).keys()];
  expect(names).toContain("inmesh.panic");
  expect(names.filter((name) => /discovery.age|concurrency|certificate|identit/.test(name))).toEqual([]);
});

test("an observer that joins a mesh knows the services that had endpoints by then, and not the others", async () => {
  const observer = openTelemetry();
  mesh.shown = [
    serviceReading("orders"),
    serviceReading("empty", { endpoints: { available: 0, ejected: 0, probing: 0, unhealthy: 0 } }),
    serviceReading("sick", { endpoints: { available: 0, ejected: 0, probing: 0, unhealthy: 2 } }),
  ];
  observer.onOpen?.(mesh);
  for (const service of ["orders", "empty", "sick"]) oneAttempt(observer, testRequest({ service }), testUpstream({ service }));
  const labels = async (name: string) => [...new Set((await sdk.points(name)).map((point) => point.attributes["server.service.name"]))];
  expect(await labels("http.client.request.duration")).toEqual(["orders", "_unknown", "sick"]);
  expect(await labels("inmesh.endpoints")).toEqual(["orders", "sick"]);
});

test("a joined observer that only traces knows them too", async () => {
  const observer = openTelemetry({ metrics: false });
  mesh.shown = [serviceReading("orders")];
  observer.onOpen?.(mesh);
  expect(Object.keys(observer).sort()).toEqual(["onAttempt", "onCall", "onCopy", "onEvent", "onOpen", "onServe"]);
});

test("with perEndpoint the breaker of an instance has its own, from its first transition until the instance has gone", async () => {
  const observer = openTelemetry({ perEndpoint: true });
  mesh.shown = [serviceReading("orders", { breaker: "closed" })];
  observer.onOpen?.(mesh);
  const ofInstances = async () =>
    (await sdk.points("inmesh.breaker.state"))
      .filter((point) => point.attributes["inmesh.breaker.scope"] === "endpoint")
      .map((point) => point.value);
  expect(await ofInstances()).toEqual([]);
  const upstream = testUpstream({ service: "orders" });
  changeState(observer, upstream, "ejected", "failure ratio");
  expect(await ofInstances()).toEqual([0, 1, 0]);
  changeState(observer, upstream, "probing", "failure ratio");
  expect(await ofInstances()).toEqual([0, 0, 1]);
  changeState(observer, upstream, "unhealthy", "health check");
  expect(await ofInstances()).toEqual([0, 1, 0]);
  const gone = testUpstream({ service: "orders" });
  changeState(observer, gone, "ejected", "failure ratio");
  upstream.markRemoved();
  gone.markRemoved();
  changeState(observer, gone, "available");
  expect(await ofInstances()).toEqual([0, 0, 0]);
});

test("the same attributes are the same object at each collection", async () => {
  const observer = openTelemetry({ perEndpoint: true });
  resolved(observer, "orders");
  mesh.shown = [serviceReading("orders")];
  mesh.own = identityReading();
  observer.onOpen?.(mesh);
  changeState(observer, testUpstream({ service: "orders" }), "ejected", "failure ratio");
  const seen: Set<unknown>[] = [];
  const meter = sdk.provider.getMeter("inmesh", "0.1.0");
  const add = meter.addBatchObservableCallback.bind(meter);
  meter.addBatchObservableCallback = (callback, observables) =>
    add((result) => {
      const attributes = new Set<unknown>();
      seen.push(attributes);
      return callback({ observe: (_metric, _value, set) => attributes.add(set) && result.observe(_metric, _value, set) });
    }, observables);
  // Bound anew, to the meter as it is now.
  const again = openTelemetry({ perEndpoint: true });
  again.onOpen?.(mesh);
  changeState(again, testUpstream({ service: "orders" }), "ejected", "failure ratio");
  await sdk.collect();
  await sdk.collect();
  expect(seen).toHaveLength(2);
  expect(seen[0]?.size).toBe(1 + 1 + 4 + 4 + 3 + 3);
  expect(seen[1]).toEqual(seen[0]);
  expect([...(seen[1] ?? [])].every((set) => seen[0]?.has(set))).toBe(true);
});

test("with perEndpoint each instance of a small service has its shares, the terms of its cost, its failures, and whether it is avoided", async () => {
  const observer = openTelemetry({ perEndpoint: true });
  const figures = {
    endpoint: upstream.endpoint,
    avoided: "fails 100 %, next try in 6 s",
    shareGot: 0.25,
    shareMeant: 0.5,
    failureRatio: 0.1,
    picker: { cost: 46, latencyMs: 8, waitingMs: 2, load: 3, penaltyMs: 16, failureRatio: 0.2 },
  };
  let asked = 0;
  mesh.shown = [serviceReading("orders", { endpoints: { available: 1, ejected: 0, probing: 0, unhealthy: 0 } })];
  let instances: readonly InstanceFigures[] = [figures];
  Object.assign(mesh, {
    instances: () => {
      asked++;
      return instances;
    },
  });
  observer.onOpen?.(mesh);
  oneAttempt(observer, request, upstream);
  const peer = { "network.peer.address": upstream.endpoint.host, "network.peer.port": upstream.endpoint.port };
  expect(await by("inmesh.share.kind", "inmesh.endpoint.share")).toEqual({ got: 0.25, meant: 0.5 });
  expect((await sdk.points("inmesh.endpoint.share"))[0]?.attributes).toMatchObject({ "server.service.name": "orders", ...peer });
  expect(await value("inmesh.endpoint.failure.share")).toEqual([0.1]);
  expect(await value("inmesh.endpoint.avoided")).toEqual([1]);
  const costs = await by("inmesh.cost.term", "inmesh.endpoint.cost");
  expect(costs).toEqual({ latency: 0.008, waiting: 0.002, in_flight: 0.02, failures: 0.016 });
  expect(Object.values(costs).reduce((sum, each) => sum + each, 0)).toBeCloseTo(figures.picker.cost / 1_000, 9);
  // One that has gone is told once more, as 0.
  instances = [];
  expect(await by("inmesh.share.kind", "inmesh.endpoint.share")).toEqual({ got: 0, meant: 0 });
  asked = 0;
  mesh.shown = [serviceReading("orders", { endpoints: { available: 101, ejected: 0, probing: 0, unhealthy: 0 } })];
  await sdk.collect();
  expect(asked).toBe(0);
});
