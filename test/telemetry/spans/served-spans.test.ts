import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ServedObserver, ServedRequest } from "../../../src/core/observing/served-request.ts";
import { openTelemetry } from "../../../src/telemetry/open-telemetry.ts";
import { servedRequest, TracesSdk } from "../support.ts";

let sdk: TracesSdk;
beforeEach(() => {
  sdk = new TracesSdk();
});
afterEach(() => sdk.close());

const end = { status: 200, refusedBy: undefined, isComplete: true, totalMs: 250 } as const;
const traceId = "0af7651916cd43dd8448eb211c80319c";
const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, "user-agent": "curl" };

function follow(request: ServedRequest, options = {}): ServedObserver | undefined {
  return openTelemetry(options).onServe?.(request);
}

it("a request has a SERVER span below that of its caller, and its handler runs in it", () => {
  const followed = follow(servedRequest({ headers, route: "/items/:id" }));
  const inside = followed?.around?.(() => trace.getSpan(context.active())?.spanContext());
  followed?.onEnd?.(end);
  const [span] = sdk.spans;
  expect(inside).toEqual(span?.spanContext());
  expect(span).toMatchObject({ name: "GET /items/:id", kind: SpanKind.SERVER, parentSpanContext: { spanId: "b7ad6b7169203331" } });
  expect(span?.spanContext().traceId).toBe(traceId);
  expect(span?.attributes).toEqual({
    "http.request.method": "GET",
    "url.scheme": "http",
    "url.path": "/items/7",
    "http.route": "/items/:id",
    "network.protocol.version": "1.1",
    "network.peer.address": "192.0.2.7",
    "user_agent.original": "curl",
    "http.response.status_code": 200,
  });
});

it("carries the query only where that is asked for, and no secret in it", () => {
  follow(servedRequest(), { recordQuery: true })?.onEnd?.(end);
  expect(sdk.spans[0]?.attributes["url.query"]).toBe("token=REDACTED&page=2");
});

it("a refusal and a failure are errors of the span, and a caller's mistake is none", () => {
  follow(servedRequest({ method: "BREW" }))?.onEnd?.({ ...end, status: 503, refusedBy: "shedding" });
  follow(servedRequest())?.onEnd?.({ ...end, status: 404 });
  const [refused, mistaken] = sdk.spans;
  expect(refused).toMatchObject({ name: "HTTP", status: { code: SpanStatusCode.ERROR } });
  expect(refused?.attributes).toMatchObject({
    "http.request.method": "_OTHER",
    "http.request.method_original": "BREW",
    "inmesh.server.refusal": "shedding",
    "error.type": "503",
  });
  expect(mistaken?.status.code).toBe(SpanStatusCode.UNSET);
});

it("none is made beside the SERVER span of another instrumentation, where tracing is suppressed, and without traces", () => {
  const tracer = sdk.provider.getTracer("another");
  const other = tracer.startSpan("GET", { kind: SpanKind.SERVER });
  const inOther = context.with(trace.setSpan(ROOT_CONTEXT, other), () => follow(servedRequest(), { metrics: false }));
  expect(inOther).toBeUndefined();
  other.end();
  // One that has ended is left over from the time at which the server began to listen.
  expect(context.with(trace.setSpan(ROOT_CONTEXT, other), () => follow(servedRequest(), { metrics: false }))).toBeDefined();
  expect(context.with(suppressTracing(ROOT_CONTEXT), () => follow(servedRequest(), { metrics: false }))).toBeUndefined();
  expect(follow(servedRequest(), { traces: false })).toBeUndefined();
});
