import { metrics } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import manifest from "../../../package.json" with { type: "json" };
import { Cancellation } from "../../../src/core/cancellation.ts";
import type { EjectionRule } from "../../../src/core/ejection-rule.ts";
import { MeshError } from "../../../src/core/errors.ts";
import { scopeVersion } from "../../../src/telemetry/attribute-names.ts";
import { metricTable } from "../../../src/telemetry/metrics/metric-table.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import {
  attemptEnd,
  callEnd,
  changeState,
  identityReading,
  MetricsSdk,
  oneAttempt,
  resolved,
  ShownMesh,
  servedRequest,
  serviceReading,
} from "../support.ts";

let sdk: MetricsSdk;
beforeEach(() => {
  sdk = new MetricsSdk();
});
afterEach(() => sdk.close());

const upstream = testUpstream({ service: "orders", port: 8080 });
const request = testRequest({ service: "orders", upstream });
const base = { "http.request.method": "GET", "server.address": "orders", "server.service.name": "orders" };

test("an attempt is recorded in seconds up to the end of its body, with the advised buckets", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  oneAttempt(observer, request, upstream, attemptEnd({ totalMs: 250 }));
  const metric = (await sdk.collect()).get("http.client.request.duration");
  expect(metric?.unit).toBe("s");
  expect(metric?.buckets).toEqual([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
  expect(metric?.points).toEqual([{ attributes: { ...base, "http.response.status_code": 200 }, value: 0.25, count: 1 }]);
});

test("error.type of an attempt is the status from 400 on, else the code, and absent when this side gave up", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  const connect = new MeshError("ERR_MESH_CONNECT", "no connection", { service: "orders" });
  const body = new MeshError("ERR_MESH_BODY", "cut off", { service: "orders" });
  oneAttempt(observer, request, upstream, attemptEnd({ record: { status: 404 } }));
  oneAttempt(observer, request, upstream, attemptEnd({ record: { status: 503 }, cancelled: true, error: new Error("discarded") }));
  oneAttempt(observer, request, upstream, attemptEnd({ error: connect, record: { phase: "connect" } }));
  oneAttempt(observer, request, upstream, attemptEnd({ error: body, record: { status: 200 } }));
  oneAttempt(observer, request, upstream, attemptEnd({ error: new Error("AbortError"), cancelled: true }));
  oneAttempt(observer, request, upstream, attemptEnd({ error: new Error("whatever") }));
  const points = await sdk.points("http.client.request.duration");
  expect(points.map((point) => point.attributes)).toEqual([
    { ...base, "http.response.status_code": 404, "error.type": "404" },
    { ...base, "http.response.status_code": 503, "error.type": "503" },
    { ...base, "error.type": "ERR_MESH_CONNECT" },
    { ...base, "http.response.status_code": 200, "error.type": "ERR_MESH_BODY" },
    base,
    { ...base, "error.type": "_OTHER" },
  ]);
});

test("a call is recorded once with its outcome, and its attempts when it made any", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  const ends = [
    callEnd(),
    callEnd({ status: 404 }),
    callEnd({ status: 503, attempts: 3, cancelled: true }),
    callEnd({ status: undefined, error: new Error("gone"), cancelled: true }),
    callEnd({ status: undefined, error: new MeshError("ERR_MESH_CIRCUIT_OPEN", "open"), attempts: 0 }),
    callEnd({ status: undefined, error: new MeshError("ERR_MESH_RETRY_EXHAUSTED", "3 attempts"), attempts: 3 }),
  ];
  for (const end of ends) observer.onCall?.(request)?.onEnd?.(end);
  const calls = await sdk.points("inmesh.client.call.duration");
  const service = { "server.service.name": "orders", "http.request.method": "GET" };
  expect(calls.map(({ attributes, count }) => ({ attributes, count }))).toEqual([
    { attributes: { ...service, "inmesh.outcome": "success" }, count: 2 },
    { attributes: { ...service, "inmesh.outcome": "error", "error.type": "503" }, count: 1 },
    { attributes: { ...service, "inmesh.outcome": "cancelled" }, count: 1 },
    { attributes: { ...service, "inmesh.outcome": "rejected", "error.type": "ERR_MESH_CIRCUIT_OPEN" }, count: 1 },
    { attributes: { ...service, "inmesh.outcome": "error", "error.type": "ERR_MESH_RETRY_EXHAUSTED" }, count: 1 },
  ]);
  expect(calls[0]?.value).toBeCloseTo(0.08);
  const attempts = (await sdk.collect()).get("inmesh.client.attempts");
  expect(attempts?.buckets).toEqual([1, 2, 3, 4, 5]);
  expect(attempts?.points).toEqual([{ attributes: { "server.service.name": "orders" }, value: 9, count: 5 }]);
});

test("retries are counted by reason and those not made by denial", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  observer.onEvent?.({ type: "retry", service: request.service, request: request, reason: "503", delayMs: 10 });
  observer.onEvent?.({ type: "retry", service: request.service, request: request, reason: "503", delayMs: 20 });
  observer.onEvent?.({ type: "retry-denied", service: request.service, request: request, denial: "budget" });
  const service = { "server.service.name": "orders" };
  expect(await sdk.points("inmesh.client.retries")).toEqual([
    { attributes: { ...service, "inmesh.retry.reason": "503" }, value: 2, count: 1 },
  ]);
  expect(await sdk.points("inmesh.client.retries.denied")).toEqual([
    { attributes: { ...service, "inmesh.retry.denial": "budget" }, value: 1, count: 1 },
  ]);
});

test("transitions of breakers are counted by scope and state", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  observer.onEvent?.({ type: "breaker", service: "orders", state: "open" });
  const instance = testUpstream({ service: "orders" });
  changeState(observer, instance, "ejected", "failure ratio");
  // Open as before: to a breaker, this is no transition.
  changeState(observer, instance, "unhealthy", "health check");
  observer.onEvent?.({ type: "breaker", service: "orders", state: "half-open" });
  const transitions = await sdk.points("inmesh.breaker.transitions");
  expect(
    transitions.map(({ attributes, value }) => [attributes["inmesh.breaker.scope"], attributes["inmesh.breaker.state"], value]),
  ).toEqual([
    ["service", "open", 1],
    ["endpoint", "open", 1],
    ["service", "half-open", 1],
  ]);
});

test("hedges, those that won and ejections by rule are counted", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  observer.onEvent?.({ type: "hedge", service: request.service, request: request, delayMs: 80 });
  observer.onEvent?.({ type: "hedge", service: request.service, request: request, delayMs: 90 });
  observer.onEvent?.({ type: "hedge-won", service: request.service, request: request });
  for (const rule of ["consecutive failures", "health check", "health check", "a rule that is none" as EjectionRule] as const) {
    const instance = testUpstream({ service: "orders" });
    changeState(observer, instance, rule === "health check" ? "unhealthy" : "ejected", rule);
    // It is out already: no further ejection.
    changeState(observer, instance, "probing", rule);
    changeState(observer, instance, "ejected", rule);
  }
  const service = { "server.service.name": "orders" };
  expect(await sdk.points("inmesh.client.hedges")).toEqual([{ attributes: service, value: 2, count: 1 }]);
  expect(await sdk.points("inmesh.client.hedges.won")).toEqual([{ attributes: service, value: 1, count: 1 }]);
  expect(await sdk.points("inmesh.ejections")).toEqual([
    { attributes: { ...service, "inmesh.ejection.rule": "consecutive failures" }, value: 1, count: 1 },
    { attributes: { ...service, "inmesh.ejection.rule": "health check" }, value: 2, count: 1 },
    { attributes: { ...service, "inmesh.ejection.rule": "_OTHER" }, value: 1, count: 1 },
  ]);
});

test("a call that ended at its deadline is counted, one whose attempt timed out or that the caller aborted is not", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  const timeout = new MeshError("ERR_MESH_TIMEOUT", "too late", { service: "orders" });
  const failed = (reason: unknown, error: unknown) => {
    const cancellation = new Cancellation();
    if (reason !== undefined) cancellation.cancel(reason);
    observer.onCall?.({ ...request, cancellation })?.onEnd?.(callEnd({ status: undefined, error }));
  };
  failed(timeout, timeout);
  failed(undefined, timeout);
  failed(new Error("aborted"), timeout);
  const aborted = new Error("aborted");
  failed(aborted, aborted);
  failed(undefined, undefined);
  expect(await sdk.points("inmesh.client.deadline.exceeded")).toEqual([
    { attributes: { "server.service.name": "orders" }, value: 1, count: 1 },
  ]);
});

const picks = async () =>
  Object.fromEntries((await sdk.points("inmesh.client.picks")).map(({ attributes, value }) => [attributes["inmesh.zone"], value]));

test("attempts are counted by whether their instance is in this process's zone", async () => {
  const observer = openTelemetry();
  const mesh = new ShownMesh();
  mesh.zone = "a";
  observer.onOpen?.(mesh);
  resolved(observer, "orders");
  for (const zone of ["a", "a", "b"]) oneAttempt(observer, request, testUpstream({ service: "orders", zone }));
  oneAttempt(observer, request, upstream);
  expect(await picks()).toEqual({ local: 2, other: 1, unknown: 1 });
  oneAttempt(observer, request, testUpstream({ service: "orders", zone: "b" }));
  expect(await picks()).toEqual({ local: 2, other: 2, unknown: 1 });
  expect(await picks()).toEqual({ local: 2, other: 2, unknown: 1 });
});

test("two meshes that know the same service add up in picks, and what was not collected when one closed is there", async () => {
  const [first, second] = [openTelemetry(), openTelemetry()];
  for (const observer of [first, second]) {
    resolved(observer, "orders");
    oneAttempt(observer, request, upstream);
  }
  const late = first.onAttempt?.(request, upstream, undefined);
  first.onClose?.();
  late?.onEnd?.(attemptEnd());
  expect(await picks()).toEqual({ unknown: 3 });
});

test("nothing is counted for an SDK that comes later", async () => {
  metrics.disable();
  const observer = openTelemetry();
  resolved(observer, "orders");
  oneAttempt(observer, request, upstream);
  observer.onEvent?.({ type: "hedge", service: request.service, request: request, delayMs: 1 });
  metrics.setGlobalMeterProvider(sdk.provider);
  observer.onOpen?.(new ShownMesh());
  expect((await sdk.collect()).size).toBe(0);
});

test("discovery's answers, failures and unusable entries are counted", async () => {
  const observer = openTelemetry();
  const endpoints = [{ id: "0", host: "127.0.0.1", port: 1 }];
  const rejected = [
    { entry: {}, reason: "no port" },
    { entry: 7, reason: "not an object" },
  ];
  observer.onEvent?.({ type: "endpoints", service: "orders", endpoints, rejected, quarantined: false });
  observer.onEvent?.({ type: "endpoints", service: "orders", endpoints, rejected: [], quarantined: true });
  observer.onEvent?.({ type: "discovery-error", service: "orders", error: new MeshError("ERR_MESH_DISCOVERY", "500") });
  observer.onEvent?.({ type: "discovery-error", service: "never-seen", error: new TypeError("no") });
  const service = { "server.service.name": "orders" };
  expect(await sdk.points("inmesh.discovery.updates")).toEqual([
    { attributes: { ...service, "inmesh.discovery.outcome": "accepted" }, value: 1, count: 1 },
    { attributes: { ...service, "inmesh.discovery.outcome": "quarantined" }, value: 1, count: 1 },
  ]);
  expect(await sdk.points("inmesh.discovery.rejected")).toEqual([{ attributes: service, value: 2, count: 1 }]);
  expect(await sdk.points("inmesh.discovery.errors")).toEqual([
    { attributes: { ...service, "error.type": "ERR_MESH_DISCOVERY" }, value: 1, count: 1 },
    { attributes: { "server.service.name": "_unknown", "error.type": "_OTHER" }, value: 1, count: 1 },
  ]);
});

test("perEndpoint adds the instance to attempts and breakers, perRoute the route to durations", async () => {
  const observer = openTelemetry({ perEndpoint: true, perRoute: true });
  resolved(observer, "orders", 2);
  const second = testUpstream({ service: "orders", port: 8081 });
  const routed = testRequest({ service: "orders", options: { route: "/users/{id}" } });
  oneAttempt(observer, routed, upstream);
  oneAttempt(observer, request, second);
  observer.onCall?.(routed)?.onEnd?.(callEnd());
  changeState(observer, second, "ejected", "failure ratio");
  const status = { "http.response.status_code": 200 };
  const peer = { "network.peer.address": "127.0.0.1" };
  expect((await sdk.points("http.client.request.duration")).map((point) => point.attributes)).toEqual([
    { ...base, ...status, ...peer, "network.peer.port": 8080, "url.template": "/users/{id}" },
    { ...base, ...status, ...peer, "network.peer.port": 8081 },
  ]);
  expect((await sdk.points("inmesh.client.call.duration"))[0]?.attributes["url.template"]).toBe("/users/{id}");
  const breakers = await sdk.points("inmesh.breaker.state");
  expect(breakers.find((point) => point.value === 1)?.attributes).toEqual({
    "server.service.name": "orders",
    "inmesh.breaker.scope": "endpoint",
    "inmesh.breaker.state": "open",
    ...peer,
    "network.peer.port": 8081,
  });
  second.markRemoved();
  expect((await sdk.points("inmesh.breaker.state")).map((point) => point.value)).toEqual([0, 0, 0]);
});

test("every metric has the unit and no attribute but those of the table, and every one of them is used", async () => {
  const observer = openTelemetry({ perEndpoint: true, perRoute: true });
  const mesh = new ShownMesh();
  mesh.own = identityReading();
  mesh.registered = [{ service: "orders", id: "o1", registry: "consul", state: "failing" }];
  mesh.served = [{ service: "orders", state: "serving", sinceMs: 0, open: 0, connections: 0 }];
  mesh.shown = [serviceReading("orders", { concurrency: { limit: 4, inFlight: 2, queued: 1 } })];
  const configuration = () => ({ source: "mesh.yaml", sinceMs: 0, ageMs: 5_000, restart: [], refusal: undefined });
  const canaries = () => [{ rule: "r", state: "holding", share: 0.25 }];
  Object.assign(mesh, { configuration, canaries });
  const unknown = { avoided: undefined, shareGot: undefined, shareMeant: undefined, failureRatio: undefined, picker: undefined };
  Object.assign(mesh, { instances: () => [{ endpoint: upstream.endpoint, ...unknown }] });
  observer.onOpen?.(mesh);
  observer.onEvent?.({
    type: "endpoints",
    service: "orders",
    endpoints: [upstream.endpoint],
    rejected: [{ entry: 1, reason: "no" }],
    quarantined: false,
  });
  const routed = testRequest({ service: "orders", options: { route: "/r" } });
  oneAttempt(observer, routed, upstream, attemptEnd({ record: { status: 503 } }));
  observer.onCall?.(routed)?.onEnd?.(callEnd({ status: 503 }));
  observer.onEvent?.({ type: "retry", service: routed.service, request: routed, reason: "503", delayMs: 0 });
  observer.onEvent?.({ type: "retry-denied", service: routed.service, request: routed, denial: "attempts" });
  changeState(observer, testUpstream({ service: "orders" }), "unhealthy", "health check");
  observer.onEvent?.({ type: "discovery-error", service: "orders", error: new Error("x") });
  observer.onEvent?.({ type: "hedge", service: routed.service, request: routed, delayMs: 1 });
  observer.onEvent?.({ type: "hedge-won", service: routed.service, request: routed });
  observer.onEvent?.({ type: "configured", source: "mesh.yaml", changed: ["timeoutMs"], restart: [] });
  observer.onEvent?.({ type: "configuration-refused", source: "mesh.yaml", error: new Error("x") });
  const lost = { service: "orders", id: "o1", registry: "consul", state: "registered", lost: true, error: new Error("x") } as const;
  observer.onEvent?.({ type: "registration", ...lost });
  observer.onEvent?.({ type: "serving", service: "orders", state: "stopped", open: 0, cutOff: 1 });
  const connection = {
    type: "server-connection",
    service: "orders",
    peerAddress: "192.0.2.7",
    encryption: "tls",
    error: undefined,
  } as const;
  observer.onEvent?.({ ...connection, refusal: undefined });
  observer.onEvent?.({ ...connection, refusal: "authority" });
  const decided = observer.onCall?.(routed);
  decided?.onRouted?.({ routed: { rule: "r", target: "t", subset: undefined, options: undefined }, service: undefined });
  decided?.onEnd?.(callEnd());
  const mirror = { type: "mirror", service: "orders", rule: "r", request: routed } as const;
  observer.onEvent?.({ ...mirror, outcome: "answered", omission: undefined });
  observer.onEvent?.({ ...mirror, outcome: undefined, omission: "in-flight" });
  const step = { change: "step", state: "stepping", share: 0.05, isAlone: true, why: "enough calls" } as const;
  observer.onEvent?.({ type: "canary", service: "orders", rule: "r", ...step });
  observer.onEvent?.({ type: "fault", service: "orders", rule: "r", request: routed, fault: "delay", status: undefined });
  const deadline = new MeshError("ERR_MESH_TIMEOUT", "too late", { service: "orders" });
  const cancellation = new Cancellation();
  cancellation.cancel(deadline);
  observer.onCall?.({ ...routed, cancellation })?.onEnd?.(callEnd({ status: undefined, error: deadline }));
  const rpcCall = { protocol: "grpc", isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined } as const;
  observer.onCall?.({ ...routed, path: "/shop.v1.Orders/Get", rpc: rpcCall })?.onEnd?.(callEnd({ rpcStatus: 14 }));
  const request = servedRequest({ route: "/items/:id" });
  const clear = servedRequest({ route: "/items/:id", isClearTextBesideTls: true });
  observer.onServe?.(clear)?.onEnd?.({ status: 200, refusedBy: undefined, isComplete: true, totalMs: 1 });
  observer.onServe?.(request)?.onEnd?.({ status: 503, refusedBy: "shedding", isComplete: true, totalMs: 1 });
  const authorization = { decision: "denied", ruleId: "no-admin" } as const;
  observer.onServe?.(request)?.onEnd?.({ status: 403, refusedBy: "authorization", authorization, isComplete: true, totalMs: 1 });
  const rpc = servedRequest({ rpc: { service: "shop.v1.Orders", method: "Get" } });
  observer.onServe?.(rpc)?.onEnd?.({ status: 503, rpcStatus: 14, refusedBy: undefined, isComplete: true, totalMs: 1 });
  observer.onServe?.(request);
  const collected = await sdk.collect();
  expect([...collected.keys()].sort()).toEqual(
    Object.values(metricTable)
      .map((metric) => metric.name)
      .sort(),
  );
  for (const { name, unit, attributes, optional = {} } of Object.values(metricTable)) {
    expect(collected.get(name)?.unit, name).toBe(unit);
    const used = new Set(collected.get(name)?.points.flatMap((point) => Object.keys(point.attributes)));
    expect([...used].sort(), name).toEqual([...attributes, ...Object.values(optional).flat()].sort());
  }
});

test("a call of a remote procedure is recorded by its method and status, or by the error of a mesh that got none", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  const rpc = { protocol: "grpc", isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined } as const;
  const call = (path: string, end: Parameters<typeof callEnd>[0], protocol: "grpc" | "connect" = "grpc"): void =>
    observer.onCall?.({ ...request, path, rpc: { ...rpc, protocol } })?.onEnd?.(callEnd(end));
  call("/shop.v1.Orders/Get", { rpcStatus: 0 });
  call("/shop.v1.Orders/Get", { rpcStatus: 5 });
  call("/shop.v1.Orders/Get", { status: undefined, error: new MeshError("ERR_MESH_CONNECT", "no connection") });
  call("/shop.v1.Orders/Get", { rpcStatus: 0 }, "connect");
  call("/no-method", { rpcStatus: 0 });
  observer.onCall?.(request)?.onEnd?.(callEnd());
  const of = { "server.address": "orders", "server.service.name": "orders", "rpc.system.name": "grpc", "rpc.method": "shop.v1.Orders/Get" };
  expect((await sdk.points("rpc.client.call.duration")).map(({ attributes }) => attributes)).toEqual([
    { ...of, "rpc.response.status_code": "OK" },
    { ...of, "rpc.response.status_code": "NOT_FOUND", "error.type": "NOT_FOUND" },
    { ...of, "error.type": "ERR_MESH_CONNECT" },
    { ...of, "rpc.system.name": "connectrpc", "rpc.response.status_code": "OK" },
    { ...of, "rpc.method": "_OTHER", "rpc.response.status_code": "OK" },
  ]);
});

test("the scope carries the version of the package", () => {
  expect(scopeVersion).toBe(manifest.version);
});
