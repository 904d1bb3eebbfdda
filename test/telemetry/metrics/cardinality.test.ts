import { afterEach, beforeEach, expect, test } from "vitest";
import type { EjectionRule } from "../../../src/core/ejection-rule.ts";
import { MeshError } from "../../../src/core/errors.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { attemptEnd, callEnd, changeState, MetricsSdk, oneAttempt, resolved, ShownMesh, serviceReading } from "../support.ts";

let sdk: MetricsSdk;
beforeEach(() => {
  sdk = new MetricsSdk();
});
afterEach(() => sdk.close());

const labelsOf = async (name: string) => new Set((await sdk.points(name)).map((point) => point.attributes["server.service.name"]));

const rounds = 10_000;

test("10,000 invented paths, services, methods, routes, user agents, statuses, errors, rules and instances make a few hundred series", async () => {
  const observer = openTelemetry();
  const mesh = new ShownMesh();
  observer.onOpen?.(mesh);
  const random = seededRandom(1);
  const word = () => Math.floor(random() * 1e9).toString(36);
  for (let round = 0; round < rounds; round++) {
    const service = round % 3 === 0 ? "__proto__" : round % 3 === 1 ? "constructor" : word();
    const headers = { "user-agent": `${word()}/1.0`, host: `${word()}.example`, [`x-${word()}`]: word() };
    const path = `/${word()}/${word()}?${word()}=${word()}`;
    const request = testRequest({
      service,
      path,
      headers,
      method: round % 2 === 0 ? word().toUpperCase() : "GET",
      options: { route: word() },
    });
    const upstream = testUpstream({ service, host: `${word()}.internal`, port: 1 + Math.floor(random() * 65_000), zone: word() });
    const status = 100 + Math.floor(random() * 900);
    const error = Object.assign(new Error(word()), { name: "MeshError", code: `ERR_MESH_${word()}` });
    oneAttempt(observer, request, upstream, attemptEnd({ record: { status } }));
    oneAttempt(observer, request, upstream, attemptEnd({ error, record: { code: word() } }));
    oneAttempt(observer, request, upstream, attemptEnd({ error: new MeshError("ERR_MESH_BODY", "cut"), record: { status } }));
    observer.onCall?.(request)?.onEnd?.(callEnd({ status }));
    observer.onCall?.(request)?.onEnd?.(callEnd({ status: undefined, error }));
    observer.onEvent?.({ type: "retry", service: request.service, request: request, reason: word(), delayMs: 0 });
    observer.onEvent?.({ type: "hedge", service: request.service, request: request, delayMs: round });
    observer.onEvent?.({ type: "hedge-won", service: request.service, request: request });
    observer.onEvent?.({ type: "discovery-error", service: service, error: error });
    changeState(observer, upstream, "ejected", word() as EjectionRule);
  }
  mesh.shown = Array.from({ length: rounds }, () => serviceReading(word()));
  const series = new Map([...(await sdk.collect())].map(([name, { points }]) => [name, points.length]));
  // Two methods here (GET and _OTHER), under 200 statuses with and without ERR_MESH_BODY, one unknown service.
  expect(series.get("http.client.request.duration")).toBeLessThanOrEqual(2 * (200 + 200 + 1));
  expect(series.get("inmesh.client.call.duration")).toBeLessThanOrEqual(2 * 200);
  series.delete("http.client.request.duration");
  series.delete("inmesh.client.call.duration");
  expect(Object.fromEntries(series)).toEqual({
    "inmesh.client.attempts": 1,
    "inmesh.client.picks": 1,
    // 32 reasons, and _OTHER for all others.
    "inmesh.client.retries": 33,
    "inmesh.client.hedges": 1,
    "inmesh.client.hedges.won": 1,
    "inmesh.ejections": 1,
    "inmesh.discovery.errors": 1,
    "inmesh.breaker.transitions": 1,
  });
  expect(await labelsOf("http.client.request.duration")).toEqual(new Set(["_unknown"]));
});

test("of a service with a name, paths, hosts, user agents and instances make no series either", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  for (let round = 0; round < rounds; round++) {
    const headers = { "user-agent": `agent-${round}`, host: `host-${round}` };
    const request = testRequest({ service: "orders", path: `/users/${round}?page=${round}`, headers, options: { route: `/${round}` } });
    const upstream = testUpstream({ service: "orders", host: `10.0.${round >> 8}.${round & 255}`, zone: `zone-${round}` });
    oneAttempt(observer, request, upstream);
    observer.onCall?.(request)?.onEnd?.(callEnd());
    changeState(observer, upstream, "ejected", "failure ratio");
  }
  const all = [...(await sdk.collect()).values()];
  expect(all.map(({ points }) => points.length)).toEqual(all.map(() => 1));
});

test("a discovery that resolves any name gets 500 services with a name and one without", async () => {
  const observer = openTelemetry();
  const mesh = new ShownMesh();
  observer.onOpen?.(mesh);
  mesh.shown = Array.from({ length: 2000 }, (_, index) => serviceReading(`tenant-${index}`));
  for (let index = 0; index < 2000; index++) {
    const service = `tenant-${index}`;
    resolved(observer, service);
    oneAttempt(observer, testRequest({ service }), testUpstream({ service }));
    observer.onCall?.(testRequest({ service }))?.onEnd?.(callEnd());
    observer.onEvent?.({ type: "breaker", service: service, state: "open" });
  }
  for (const name of ["http.client.request.duration", "inmesh.client.call.duration", "inmesh.discovery.updates"]) {
    const labels = await labelsOf(name);
    expect(labels.size, name).toBe(501);
    expect(labels.has("_unknown"), name).toBe(true);
  }
  expect(await sdk.points("inmesh.endpoints")).toHaveLength(4 * 500);
  for (const name of ["inmesh.discovery.age", "inmesh.client.active_calls"]) expect(await sdk.points(name)).toHaveLength(500);
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
  observer.onEvent?.({ type: "endpoints", service: "empty", endpoints: [], rejected: [], quarantined: false });
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
