import { metrics, trace } from "@opentelemetry/api";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, expect, test } from "vitest";
import { type OpenTelemetryOptions, openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { attemptEnd, callEnd, MetricsSdk, oneAttempt, resolved, ShownMesh, serviceReading, TracesSdk } from "./support.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const sdk of open.splice(0)) await sdk.close();
});
function opened<T extends { close(): Promise<void> }>(sdk: T): T {
  open.push(sdk);
  return sdk;
}

const upstream = testUpstream({ service: "orders" });
const request = testRequest({ service: "orders" });
const duration = "http.client.request.duration";

test("without an SDK nothing follows calls and attempts", () => {
  const observer = openTelemetry({ callSpans: true, perEndpoint: true });
  resolved(observer, "orders");
  expect(observer.onCall?.(request)).toBeUndefined();
  expect(observer.onAttempt?.(request, upstream, undefined)).toBeUndefined();
});

test("with metrics and traces switched off there is not even a hook", () => {
  opened(new MetricsSdk());
  opened(new TracesSdk());
  expect(openTelemetry({ metrics: false, traces: false })).toEqual({});
});

test("an SDK for metrics alone makes no span and runs nothing in a context of ours", async () => {
  const sdk = opened(new MetricsSdk());
  const observer = openTelemetry();
  const attempt = observer.onAttempt?.(request, upstream, observer.onCall?.(request));
  expect(attempt?.around).toBeUndefined();
  expect(attempt?.headers).toBeUndefined();
  attempt?.onEnd?.(attemptEnd());
  expect(await sdk.points(duration)).toHaveLength(1);
});

test("metrics: false and traces: false leave the other one on", async () => {
  const metricsSdk = opened(new MetricsSdk());
  const tracesSdk = opened(new TracesSdk());
  const tracing = openTelemetry({ metrics: false, callSpans: true });
  resolved(tracing, "orders");
  const call = tracing.onCall?.(request);
  tracing.onAttempt?.(request, upstream, call)?.onEnd?.(attemptEnd());
  call?.onEnd?.(callEnd());
  tracing.onEvent?.({ type: "breaker", service: "orders", state: "open" });
  expect(tracesSdk.spans.map((span) => span.name)).toEqual(["GET", "inmesh orders"]);
  expect((await metricsSdk.collect()).size).toBe(0);
  const metering = openTelemetry({ traces: false });
  oneAttempt(metering, request, upstream);
  expect(tracesSdk.spans).toHaveLength(2);
  expect(await metricsSdk.points(duration)).toHaveLength(1);
});

test("an SDK registered later gets what follows, with the state there is by then", async () => {
  const observer = openTelemetry();
  const mesh = new ShownMesh();
  mesh.shown = [serviceReading("orders", { breaker: "open" })];
  observer.onOpen?.(mesh);
  const before = observer.onCall?.(request);
  oneAttempt(observer, request, upstream);
  const metricsSdk = opened(new MetricsSdk());
  const tracesSdk = opened(new TracesSdk());
  // A call that began before is not followed, its attempts are.
  observer.onAttempt?.(request, upstream, before)?.onEnd?.(attemptEnd());
  expect(tracesSdk.spans).toHaveLength(1);
  expect((await metricsSdk.points(duration)).map((point) => point.count)).toEqual([1]);
  expect((await metricsSdk.points("inmesh.endpoints")).map((point) => point.value)).toEqual([1, 0, 0, 0]);
  expect((await metricsSdk.points("inmesh.breaker.state")).map((point) => point.value)).toEqual([0, 1, 0]);
});

test("an SDK that takes another's place gets what follows, and the other nothing more", async () => {
  const mesh = new ShownMesh();
  mesh.shown = [serviceReading("orders")];
  const first = new MetricsSdk();
  const firstTraces = new TracesSdk();
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  oneAttempt(observer, request, upstream);
  const [age] = await first.points("inmesh.discovery.age");
  expect(age?.value).toBe(0);
  metrics.disable();
  trace.disable();
  const second = opened(new MetricsSdk());
  const provider = new TracerProvider();
  trace.setGlobalTracerProvider(provider);
  mesh.shown = [serviceReading("orders", { discoveryAgeMs: 5000 })];
  oneAttempt(observer, request, upstream);
  expect((await second.points(duration)).map((point) => point.count)).toEqual([1]);
  expect((await second.points("inmesh.discovery.age")).map((point) => point.value)).toEqual([5]);
  expect((await first.points(duration)).map((point) => point.count)).toEqual([1]);
  expect((await first.points("inmesh.discovery.age")).map((point) => point.value)).toEqual([0]);
  expect(firstTraces.spans).toHaveLength(1);
  await first.provider.shutdown();
  await firstTraces.close();
  await provider.shutdown();
});

test("an SDK that is taken away leaves nothing that follows calls", async () => {
  const metricsSdk = new MetricsSdk();
  const tracesSdk = new TracesSdk();
  const observer = openTelemetry();
  oneAttempt(observer, request, upstream);
  await metricsSdk.close();
  await tracesSdk.close();
  expect(observer.onCall?.(request)).toBeUndefined();
  expect(observer.onAttempt?.(request, upstream, undefined)).toBeUndefined();
});

test("after onClose nothing is observed for the mesh, and what still ends is recorded", async () => {
  const sdk = opened(new MetricsSdk());
  const mesh = new ShownMesh();
  mesh.shown = [serviceReading("orders")];
  const observer = openTelemetry();
  observer.onOpen?.(mesh);
  const call = observer.onCall?.(request);
  await sdk.collect();
  observer.onClose?.();
  mesh.shown = [serviceReading("orders", { discoveryAgeMs: 9000 })];
  call?.onEnd?.(callEnd());
  observer.onEvent?.({ type: "endpoints", service: "orders", endpoints: [], rejected: [], quarantined: false });
  // The SDK keeps the last value of a gauge; a callback that is still there would give a newer one.
  expect((await sdk.points("inmesh.discovery.age")).map((point) => point.value)).toEqual([0]);
  expect(await sdk.points("inmesh.client.call.duration")).toHaveLength(1);
});

test("an observer that is closed before any SDK came registers nothing with a later one", async () => {
  const observer = openTelemetry();
  resolved(observer, "orders");
  observer.onClose?.();
  const sdk = opened(new MetricsSdk());
  resolved(observer, "orders");
  expect((await sdk.collect()).size).toBe(0);
});

test("an attempt builds no attribute set that an earlier one with the same end has built", () => {
  const sdk = opened(new MetricsSdk());
  const seen: unknown[] = [];
  const meter = sdk.provider.getMeter("inmesh", "0.1.0");
  const observer = openTelemetry();
  const create = meter.createHistogram.bind(meter);
  meter.createHistogram = (...args) => {
    const histogram = create(...args);
    histogram.record = (_value, attributes) => void seen.push(attributes);
    return histogram;
  };
  resolved(observer, "orders");
  for (let round = 0; round < 3; round++) {
    const call = observer.onCall?.(request);
    observer.onAttempt?.(request, upstream, call)?.onEnd?.(attemptEnd());
    call?.onEnd?.(callEnd());
  }
  expect(seen).toHaveLength(9);
  expect(new Set(seen).size).toBe(3);
});

test.each<[OpenTelemetryOptions, typeof TypeError, RegExp]>([
  [{ metrics: "yes" as never }, TypeError, /metrics must be true or false, not "yes"/],
  [{ recordQuery: 1 as never }, TypeError, /recordQuery must be true or false, not 1/],
  [{ maxServices: -1 }, RangeError, /maxServices must be at least 0, not -1/],
  [{ callSpan: true } as never, TypeError, /openTelemetry has no option "callSpan"; it has metrics/],
  [{ maxServices: 1.5 }, RangeError, /maxServices .* not 1.5/],
])("a wrong option is refused by its name and value: %o", (options, type, message) => {
  expect(() => openTelemetry(options)).toThrow(type);
  expect(() => openTelemetry(options)).toThrow(message);
});
