import { afterEach, beforeEach, expect, it } from "vitest";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { prometheus } from "../../../src/telemetry/prometheus.ts";
import { MetricsSdk, servedRequest } from "../support.ts";

let sdk: MetricsSdk;
beforeEach(() => {
  sdk = new MetricsSdk();
});
afterEach(() => sdk.close());

const end = { status: 200, refusedBy: undefined, isComplete: true, totalMs: 250 } as const;

it("measures requests under the names of the semantic conventions, and counts those under way", async () => {
  const observer = openTelemetry();
  const request = servedRequest({ httpVersion: "2.0", scheme: "https" });
  const first = observer.onServe?.(request);
  observer.onServe?.(request);
  first?.onEnd?.(end);
  expect(await sdk.points("http.server.request.duration")).toEqual([
    {
      attributes: {
        "http.request.method": "GET",
        "url.scheme": "https",
        "network.protocol.version": "2",
        "http.response.status_code": 200,
      },
      value: 0.25,
      count: 1,
    },
  ]);
  expect(await sdk.points("http.server.active_requests")).toEqual([
    { attributes: { "http.request.method": "GET", "url.scheme": "https" }, value: 1, count: 1 },
  ]);
  expect(await sdk.points("inmesh.server.refused")).toEqual([]);
});

it("makes no series of what callers invent: methods, versions, statuses, routes", async () => {
  const observer = openTelemetry();
  for (let index = 0; index < 500; index++) {
    const request = servedRequest({ method: `M${index}`, httpVersion: `1.${index + 2}`, route: `/${index}` });
    observer.onServe?.(request)?.onEnd?.({ ...end, status: 600 + index });
  }
  const points = await sdk.points("http.server.request.duration");
  expect(new Set(points.map(({ attributes }) => attributes["http.request.method"]))).toEqual(new Set(["_OTHER"]));
  expect(new Set(points.map(({ attributes }) => attributes["http.route"])).size).toBe(101);
  expect(new Set(points.map(({ attributes }) => attributes["network.protocol.version"]))).toEqual(new Set(["_OTHER"]));
});

it("counts decisions by rule, at most 100 rules by name", async () => {
  const observer = openTelemetry();
  for (let index = 0; index < 150; index++)
    observer.onServe?.(servedRequest())?.onEnd?.({ ...end, authorization: { decision: "allowed", ruleId: `rule-${index}` } });
  observer.onServe?.(servedRequest())?.onEnd?.({ ...end, authorization: { decision: "denied", ruleId: undefined } });
  const points = await sdk.points("inmesh.server.authorizations");
  expect(points.length).toBe(102);
  expect(points.at(-1)).toMatchObject({
    attributes: { "inmesh.authorization.decision": "denied", "inmesh.authorization.rule": "_none" },
    value: 1,
  });
});

it("counts what was refused, by the part that did it, and a 5xx as an error", async () => {
  const observer = openTelemetry();
  observer.onServe?.(servedRequest())?.onEnd?.({ ...end, status: 503, refusedBy: "shedding" });
  observer.onServe?.(servedRequest())?.onEnd?.({ ...end, status: undefined, isComplete: false });
  expect(await sdk.points("inmesh.server.refused")).toMatchObject([{ attributes: { "inmesh.server.refusal": "shedding" }, value: 1 }]);
  const points = await sdk.points("http.server.request.duration");
  expect(points.map(({ attributes }) => attributes["error.type"]).sort()).toEqual(["503", undefined]);
});

it("leaves a request to the instrumentation of node:http where that has its hand on it, but not in Prometheus", async () => {
  expect(openTelemetry().onServe?.(servedRequest({ isInstrumented: true }))).toBeUndefined();
  const observer = prometheus();
  observer.onServe?.(servedRequest({ isInstrumented: true }))?.onEnd?.(end);
  const text = await observer.metrics();
  expect(text).toContain('http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="http"');
  expect(text).toContain('http_server_active_requests{http_request_method="GET",url_scheme="http"} 0');
});

it("measures calls of gRPC by method and status, and makes no series of methods that do not exist", async () => {
  const observer = openTelemetry();
  const call = (method: string, rpcStatus: number): void =>
    observer.onServe?.(servedRequest({ method: "POST", rpc: { service: "shop.v1.Orders", method } }))?.onEnd?.({ ...end, rpcStatus });
  call("Get", 0);
  call("Get", 5);
  call("Get", 14);
  for (let index = 0; index < 300; index++) call(`Gone${index}`, 12);
  const base = { "rpc.system.name": "grpc", "rpc.method": "shop.v1.Orders/Get" };
  const points = await sdk.points("rpc.server.call.duration");
  expect(points.map(({ attributes, count }) => ({ attributes, count }))).toEqual([
    { attributes: { ...base, "rpc.response.status_code": "OK" }, count: 1 },
    { attributes: { ...base, "rpc.response.status_code": "NOT_FOUND" }, count: 1 },
    { attributes: { ...base, "rpc.response.status_code": "UNAVAILABLE", "error.type": "UNAVAILABLE" }, count: 1 },
    {
      attributes: { ...base, "rpc.method": "_OTHER", "rpc.response.status_code": "UNIMPLEMENTED", "error.type": "UNIMPLEMENTED" },
      count: 300,
    },
  ]);
  expect(await sdk.points("http.server.request.duration")).toEqual([]);
});
