import { afterEach, beforeEach, expect, test } from "vitest";
import { MeshError } from "../../src/core/errors.ts";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { attemptEnd, callEnd, MetricsSdk, oneAttempt, resolved } from "./support.ts";

let sdk: MetricsSdk;
beforeEach(() => {
  sdk = new MetricsSdk();
});
afterEach(() => sdk.close());

const labelsOf = async (name: string) => new Set((await sdk.points(name)).map((point) => point.attributes["server.service.name"]));

test("random services, methods, statuses, routes, errors and reasons make no more series than there are known methods and statuses", async () => {
  const observer = openTelemetry();
  const random = seededRandom(1);
  const word = () => Math.floor(random() * 1e9).toString(36);
  for (let round = 0; round < 20_000; round++) {
    const service = round % 3 === 0 ? "__proto__" : round % 3 === 1 ? "constructor" : word();
    const request = testRequest({ service, method: round % 2 === 0 ? word().toUpperCase() : "GET", options: { route: word() } });
    const upstream = testUpstream({ service, port: 1 + Math.floor(random() * 65_000) });
    const status = 100 + Math.floor(random() * 900);
    const error = Object.assign(new Error(word()), { name: "MeshError", code: `ERR_MESH_${word()}` });
    oneAttempt(observer, request, upstream, attemptEnd({ record: { status } }));
    oneAttempt(observer, request, upstream, attemptEnd({ error, record: { code: word() } }));
    oneAttempt(observer, request, upstream, attemptEnd({ error: new MeshError("ERR_MESH_BODY", "cut"), record: { status } }));
    observer.onCall?.(request)?.onEnd?.(callEnd({ status }));
    observer.onCall?.(request)?.onEnd?.(callEnd({ status: undefined, error }));
    observer.onRetry?.(request, word(), 0);
    observer.onDiscoveryError?.(service, error);
    observer.onBreaker?.(service, "open", upstream);
    observer.onAvailability?.(upstream);
  }
  const series = new Map([...(await sdk.collect())].map(([name, { points }]) => [name, points.length]));
  // Two methods here (GET and _OTHER), under 200 statuses with and without ERR_MESH_BODY, one unknown service.
  expect(series.get("http.client.request.duration")).toBeLessThanOrEqual(2 * (200 + 200 + 1));
  expect(series.get("inmesh.client.call.duration")).toBeLessThanOrEqual(2 * 200);
  expect(series.get("inmesh.client.attempts")).toBe(1);
  expect(series.get("inmesh.client.retries")).toBe(33);
  expect(series.get("inmesh.discovery.errors")).toBe(1);
  expect(series.get("inmesh.breaker.transitions")).toBe(1);
  expect(series.has("inmesh.endpoints")).toBe(false);
  expect(await labelsOf("http.client.request.duration")).toEqual(new Set(["_unknown"]));
});

test("a discovery that resolves any name gets 500 services with a name and one without", async () => {
  const observer = openTelemetry();
  for (let index = 0; index < 2000; index++) {
    const service = `tenant-${index}`;
    resolved(observer, service);
    oneAttempt(observer, testRequest({ service }), testUpstream({ service }));
    observer.onCall?.(testRequest({ service }))?.onEnd?.(callEnd());
    observer.onBreaker?.(service, "open", undefined);
  }
  for (const name of ["http.client.request.duration", "inmesh.client.call.duration", "inmesh.discovery.updates"]) {
    const labels = await labelsOf(name);
    expect(labels.size, name).toBe(501);
    expect(labels.has("_unknown"), name).toBe(true);
  }
  expect(await sdk.points("inmesh.endpoints")).toHaveLength(2 * 500);
  expect(await sdk.points("inmesh.discovery.age")).toHaveLength(500);
  expect(await sdk.points("inmesh.breaker.state")).toHaveLength(3 * 500);
});

test("maxServices: 0 leaves no service a name", async () => {
  const observer = openTelemetry({ maxServices: 0 });
  resolved(observer, "orders");
  oneAttempt(observer, testRequest({ service: "orders" }), testUpstream({ service: "orders" }));
  expect(await labelsOf("http.client.request.duration")).toEqual(new Set(["_unknown"]));
});

test("a service that discovery answered for without an endpoint has no name, one called __proto__ has its own", async () => {
  const observer = openTelemetry();
  observer.onEndpoints?.({ service: "empty", endpoints: [], rejected: [], quarantined: false });
  resolved(observer, "__proto__");
  for (const service of ["empty", "__proto__", "constructor"]) {
    oneAttempt(observer, testRequest({ service }), testUpstream({ service }));
  }
  expect(await labelsOf("http.client.request.duration")).toEqual(new Set(["_unknown", "__proto__"]));
});

test("with perRoute a caller that gives paths as routes gets a hundred of them", async () => {
  const observer = openTelemetry({ perRoute: true });
  resolved(observer, "orders");
  for (let id = 0; id < 1000; id++) {
    const request = testRequest({ service: "orders", options: { route: `/users/${id}` } });
    oneAttempt(observer, request, testUpstream({ service: "orders" }));
    observer.onCall?.(request)?.onEnd?.(callEnd());
  }
  const routes = (await sdk.points("http.client.request.duration")).map((point) => point.attributes["url.template"]);
  expect(routes).toHaveLength(101);
  expect(routes).toContain("_OTHER");
  expect(await sdk.points("inmesh.client.call.duration")).toHaveLength(101);
});
