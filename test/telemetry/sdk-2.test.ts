import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { MeterProvider, MetricReader } from "opentelemetry-sdk-metrics-2";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "opentelemetry-sdk-trace-2";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

// The rest of the tests run with the SDK's version 3; what is in version 2 has the same API behind it.
class PulledReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

afterEach(() => {
  for (const api of [metrics, trace, propagation, context]) api.disable();
});

it("an SDK of version 2 gets the metrics, gauges included", async () => {
  const reader = new PulledReader();
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  onTestFinished(() => provider.shutdown());
  const server = await serve((_request, response) => void response.end("ok"));
  const mesh = meshOf({ orders: server.port });
  await (await mesh.fetch("orders/1")).text();
  const { resourceMetrics } = await reader.collect();
  const own = resourceMetrics.scopeMetrics.filter(({ scope }) => scope.name === "inmesh").flatMap((scope) => scope.metrics);
  const pointsOf = (name: string) => own.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  expect(pointsOf("http.client.request.duration")).toMatchObject([
    { attributes: { "server.service.name": "orders", "http.response.status_code": 200 }, value: { count: 1 } },
  ]);
  expect(pointsOf("inmesh.endpoints").map(({ value }) => value)).toEqual([1, 0, 0, 0]);
  expect(pointsOf("inmesh.client.picks").map(({ value }) => value)).toEqual([1]);
});

it("an SDK of version 2 gets the spans, and their context goes out", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  onTestFinished(() => provider.shutdown());
  const server = await serve((_request, response) => void response.end("ok"));
  const mesh = meshOf({ orders: server.port }, { observers: [openTelemetry({ callSpans: true })] });
  await (await mesh.fetch("orders/1")).text();
  await until("both have ended", () => exporter.getFinishedSpans().length === 2);
  const [attempt, call] = exporter.getFinishedSpans();
  expect([attempt?.name, call?.name]).toEqual(["GET", "inmesh orders"]);
  expect(attempt?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId);
  expect(server.seen[0]?.headers["traceparent"]).toContain(attempt?.spanContext().spanId);
});
