import { metrics, trace } from "@opentelemetry/api";
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Observer } from "../../../src/extend.ts";
import { openTelemetry } from "../../../src/index.ts";

/** Real SDKs of OpenTelemetry whose exporters can be made to hang or to throw. */
export interface FaultyTelemetry {
  readonly observer: Observer;
  fail(fault: "hangs" | "throws" | undefined): void;
}

/** Registers them for the whole process, exporting four times a second. */
export function faultyTelemetry(): FaultyTelemetry {
  let fault: "hangs" | "throws" | undefined;
  const done = (callback: (result: { code: number }) => void): void => {
    if (fault === "throws") throw new Error("the exporter is broken");
    if (fault === undefined) callback({ code: 0 });
  };
  const metricExporter: PushMetricExporter = {
    export: (_points, callback) => done(callback),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const spanExporter: SpanExporter = { export: (_spans, callback) => done(callback), forceFlush: async () => {}, shutdown: async () => {} };
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 250, exportTimeoutMillis: 200 });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  const spanProcessor = new BatchSpanProcessor({ exporter: spanExporter, scheduledDelayMillis: 250, exportTimeoutMillis: 200 });
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [spanProcessor] }));
  return {
    observer: openTelemetry(),
    fail(next) {
      fault = next;
    },
  };
}
