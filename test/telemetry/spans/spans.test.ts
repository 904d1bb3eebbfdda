import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type Attributes, context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { isTracingSuppressed, suppressTracing } from "@opentelemetry/core";
import { AlwaysOffSampler, type Sampler, SamplingDecision, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MeshError } from "../../../src/core/errors.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { spanTable } from "../../../src/telemetry/spans/span-table.ts";
import { isMeshRequest } from "../../../src/telemetry/spans/spans.ts";
import { testRequest, testUpstream } from "../../../src/testing/request.ts";
import { attemptEnd, callEnd, oneAttempt, resolved, StillClock, TracesSdk } from "../support.ts";

let sdk: TracesSdk;
beforeEach(() => {
  sdk = new TracesSdk();
});
afterEach(() => sdk.close());

const upstream = testUpstream({ service: "orders", port: 8080 });
const request = testRequest({ service: "orders", path: "/users/42?token=s3cret", upstream });

test("an attempt is a CLIENT span named after the method, with the conventions' attributes and no query", () => {
  oneAttempt(openTelemetry(), request, upstream);
  expect(sdk.spans).toHaveLength(1);
  const [span] = sdk.spans;
  expect(span?.name).toBe("GET");
  expect(span?.kind).toBe(SpanKind.CLIENT);
  expect(span?.status).toEqual({ code: SpanStatusCode.UNSET });
  expect(span?.attributes).toEqual({
    "http.request.method": "GET",
    "server.address": "orders",
    "server.service.name": "orders",
    "network.peer.address": "127.0.0.1",
    "network.peer.port": 8080,
    "url.full": "http://orders/users/42",
    "http.response.status_code": 200,
  });
});

test("a call of gRPC has the names of the conventions, and every status but OK is its error", () => {
  const call = { isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined };
  const of = (protocol: "grpc" | "connect") => ({ ...request, method: "POST", path: "/shop.v1.Carts/Add", rpc: { protocol, ...call } });
  const observer = openTelemetry();
  const record = attemptEnd().record;
  for (const [protocol, rpcStatus] of [
    ["grpc", 0],
    ["grpc", 5],
    ["connect", 14],
  ] as const)
    observer.onAttempt?.(of(protocol), upstream, undefined)?.onEnd?.({ ...attemptEnd(), record, rpcStatus });
  const seen = sdk.spans.map(({ name, attributes }) => [
    name,
    attributes["rpc.system.name"],
    attributes["rpc.method"],
    attributes["rpc.response.status_code"],
    attributes["error.type"],
  ]);
  const method = "shop.v1.Carts/Add";
  expect(seen).toEqual([
    [method, "grpc", method, "OK", undefined],
    [method, "grpc", method, "NOT_FOUND", "NOT_FOUND"],
    [method, "connectrpc", method, "UNAVAILABLE", "UNAVAILABLE"],
  ]);
});

test("a resent attempt says which one it is, a route names the span, an unknown method is _OTHER and kept beside it", () => {
  const observer = openTelemetry();
  oneAttempt(observer, { ...request, attempt: 3, route: "/users/{id}" }, upstream);
  oneAttempt(observer, { ...request, method: "BREW" }, upstream);
  expect(sdk.spans.map((span) => span.name)).toEqual(["GET /users/{id}", "HTTP"]);
  expect(sdk.spans[0]?.attributes).toMatchObject({ "http.request.resend_count": 2, "url.template": "/users/{id}" });
  expect(sdk.spans[1]?.attributes).toMatchObject({ "http.request.method": "_OTHER", "http.request.method_original": "BREW" });
});

test("4xx, 5xx and failures are errors, with the status itself as error.type", () => {
  const observer = openTelemetry();
  const error = new MeshError("ERR_MESH_CONNECT", 'no connection to 127.0.0.1:8080 of "orders"');
  oneAttempt(observer, request, upstream, attemptEnd({ record: { status: 404 } }));
  oneAttempt(observer, request, upstream, attemptEnd({ record: { status: 599 } }));
  oneAttempt(observer, request, upstream, attemptEnd({ error, record: { phase: "connect" } }));
  expect(sdk.spans.map((span) => span.status.code)).toEqual(Array(3).fill(SpanStatusCode.ERROR));
  expect(sdk.spans.map((span) => span.attributes["error.type"])).toEqual(["404", "599", "ERR_MESH_CONNECT"]);
  expect(sdk.spans[2]?.status.message).toBe('ERR_MESH_CONNECT: no connection to 127.0.0.1:8080 of "orders"');
  expect(sdk.spans[2]?.attributes["inmesh.attempt.phase"]).toBe("connect");
});

test("what this side gave up is no error", () => {
  const observer = openTelemetry({ callSpans: true });
  const error = new DOMException("aborted", "AbortError");
  const call = observer.onCall?.(request);
  observer.onAttempt?.(request, upstream, call)?.onEnd?.(attemptEnd({ cancelled: true, error }));
  call?.onEnd?.(callEnd({ status: undefined, cancelled: true, error }));
  expect(sdk.spans).toHaveLength(2);
  for (const span of sdk.spans) {
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
    expect(span.attributes).not.toHaveProperty("error.type");
  }
});

test("the headers carry the attempt's own span, a new one for each attempt", () => {
  const observer = openTelemetry();
  const call = observer.onCall?.(request);
  const first = observer.onAttempt?.(request, upstream, call);
  const second = observer.onAttempt?.({ ...request, attempt: 2 }, upstream, call);
  first?.onEnd?.(attemptEnd());
  second?.onEnd?.(attemptEnd());
  const expected = sdk.spans.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`);
  expect([first?.headers?.["traceparent"], second?.headers?.["traceparent"]]).toEqual(expected);
  expect(new Set(expected).size).toBe(2);
});

test("attempts are below the span the call was made in, also when they start elsewhere", () => {
  const observer = openTelemetry();
  const parent = trace.getTracer("test").startSpan("request handler");
  const call = context.with(trace.setSpan(ROOT_CONTEXT, parent), () => observer.onCall?.(request));
  const other = trace.getTracer("test").startSpan("another request");
  context.with(trace.setSpan(ROOT_CONTEXT, other), () => observer.onAttempt?.(request, upstream, call)?.onEnd?.(attemptEnd()));
  expect(sdk.spans[0]?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  expect(sdk.spans[0]?.spanContext().traceId).toBe(parent.spanContext().traceId);
});

test("with callSpans a call is an INTERNAL span and the parent of its attempts", () => {
  const observer = openTelemetry({ callSpans: true });
  const call = observer.onCall?.(request);
  resolved(observer, "orders");
  for (const attempt of [1, 2]) {
    observer.onAttempt?.({ ...request, attempt }, upstream, call)?.onEnd?.(attemptEnd({ record: { status: 503 } }));
  }
  call?.onEnd?.(callEnd({ status: 503, attempts: 2 }));
  const [first, second, internal] = sdk.spans;
  expect(internal?.name).toBe("inmesh orders");
  expect(internal?.kind).toBe(SpanKind.INTERNAL);
  expect(internal?.status.code).toBe(SpanStatusCode.ERROR);
  expect(internal?.attributes).toEqual({
    "http.request.method": "GET",
    "server.service.name": "orders",
    "inmesh.outcome": "error",
    "inmesh.attempts": 2,
    "error.type": "503",
  });
  for (const attempt of [first, second]) expect(attempt?.parentSpanContext?.spanId).toBe(internal?.spanContext().spanId);
});

test("a call that failed without an attempt gets a span of its full duration all the same", () => {
  const clock = new StillClock();
  const observer = openTelemetry({ clock });
  const end = { status: undefined, error: new MeshError("ERR_MESH_CIRCUIT_OPEN", "open"), attempts: 0, totalMs: 250 };
  observer.onCall?.(request)?.onEnd?.(callEnd(end));
  observer.onCall?.(request)?.onEnd?.(callEnd());
  observer.onCall?.(request)?.onEnd?.(callEnd({ ...end, cancelled: true }));
  expect(sdk.spans).toHaveLength(1);
  const [span] = sdk.spans;
  expect(span?.name).toBe("inmesh _unknown");
  expect(span?.attributes).toMatchObject({ "inmesh.outcome": "rejected", "error.type": "ERR_MESH_CIRCUIT_OPEN" });
  expect(span?.duration).toEqual([0, 250_000_000]);
  const [seconds = 0, nanoseconds = 0] = span?.endTime ?? [];
  expect(seconds * 1000 + nanoseconds / 1e6).toBe(clock.wallNow());
});

test("recordQuery keeps the query and redacts what usually is secret, however it is written", () => {
  const path = "/search?q=a%20b&sig=abc&X-Amz-Signature=1&%73ig=x&Access_Token=t&flag&=&%E0%A4%A=y&a=b=c";
  oneAttempt(openTelemetry({ recordQuery: true }), { ...request, path }, testUpstream({ service: "orders", secure: true }));
  expect(sdk.spans[0]?.attributes["url.full"]).toBe(
    "https://orders/search?q=a%20b&sig=REDACTED&X-Amz-Signature=REDACTED&%73ig=REDACTED&Access_Token=REDACTED&flag&=&%E0%A4%A=y&a=b=c",
  );
});

test("an attempt runs where tracing is suppressed and isMeshRequest() is true, and nothing else does", () => {
  const observer = openTelemetry();
  const attempt = observer.onAttempt?.(request, upstream, observer.onCall?.(request));
  const inside = attempt?.around?.(() => {
    trace.getTracer("another instrumentation").startSpan("GET").end();
    return isMeshRequest();
  });
  expect(inside).toBe(true);
  expect(isMeshRequest()).toBe(false);
  attempt?.onEnd?.(attemptEnd());
  expect(sdk.spans.map((span) => span.instrumentationScope.name)).toEqual(["inmesh"]);
});

test("a caller that has suppressed tracing gets no span and no header", () => {
  const observer = openTelemetry({ callSpans: true });
  context.with(suppressTracing(context.active()), () => {
    const call = observer.onCall?.(request);
    const attempt = observer.onAttempt?.(request, upstream, call);
    expect(attempt).toBeUndefined();
    call?.onEnd?.(callEnd({ status: undefined, error: new Error("x"), attempts: 0 }));
  });
  expect(sdk.spans).toEqual([]);
});

test("a trace that is not sampled is still propagated", async () => {
  trace.disable();
  const provider = new TracerProvider({ sampler: new AlwaysOffSampler() });
  trace.setGlobalTracerProvider(provider);
  const observer = openTelemetry();
  const attempt = observer.onAttempt?.(request, upstream, undefined);
  expect(attempt?.headers?.["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  // Nothing else is left to do for it, and nothing else is done.
  expect([attempt?.around, attempt?.onEnd, observer.onCall?.(request)?.skipsAnswered]).toEqual([undefined, undefined, true]);
  await provider.shutdown();
});

test("an attempt that is not sampled runs where tracing is suppressed as well, while something looks at undici's requests", async () => {
  trace.disable();
  const provider = new TracerProvider({ sampler: new AlwaysOffSampler() });
  trace.setGlobalTracerProvider(provider);
  const look = () => {};
  subscribe("undici:request:create", look);
  const attempt = openTelemetry().onAttempt?.(request, upstream, undefined);
  expect(attempt?.around?.(() => [isMeshRequest(), isTracingSuppressed(context.active())])).toEqual([true, true]);
  attempt?.onEnd?.(attemptEnd());
  unsubscribe("undici:request:create", look);
  await provider.shutdown();
});

test("a sampler knows the method, the service, the URL and the route; the span that it lets through has the rest", async () => {
  trace.disable();
  const asked: Attributes[] = [];
  const shouldSample: Sampler["shouldSample"] = (_context, _traceId, _name, _kind, attributes) => {
    asked.push(attributes);
    return { decision: SamplingDecision.RECORD_AND_SAMPLED };
  };
  const provider = new TracerProvider({ sampler: { shouldSample } });
  trace.setGlobalTracerProvider(provider);
  openTelemetry().onAttempt?.({ ...request, route: "/users/{id}" }, upstream, undefined);
  expect(asked).toEqual([
    {
      "http.request.method": "GET",
      "server.address": "orders",
      "url.full": "http://orders/users/42",
      "url.template": "/users/{id}",
    },
  ]);
  await provider.shutdown();
});

test("no span has an attribute that the table lacks, and every one of it is used", () => {
  const observer = openTelemetry({ callSpans: true });
  const rpc = { protocol: "grpc", isStream: false, timeoutMs: undefined, timeoutHeader: undefined, whole: undefined } as const;
  const odd = { ...request, method: "BREW", path: "/shop.v1.Carts/Add", rpc, attempt: 2, route: "/r" };
  const error = new MeshError("ERR_MESH_BODY", "cut off");
  const call = observer.onCall?.(odd);
  const routed = { rule: "shadow", target: "next", subset: undefined, options: undefined };
  call?.onRouted?.({ routed, service: undefined });
  observer.onCopy?.({ ...odd, routed }, upstream, call)?.onEnd?.(attemptEnd({ error, rpcStatus: 14, record: { status: 200 } }));
  call?.onEnd?.(callEnd({ error }));
  const [attempt, internal] = sdk.spans.map((span) => Object.keys(span.attributes).sort());
  expect(attempt).toEqual([...spanTable.attempt.attributes].sort());
  expect(internal).toEqual([...spanTable.call.attributes].sort());
});
