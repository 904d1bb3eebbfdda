import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { PlainMeterProvider, PlainTracerProvider } from "./plain-provider.ts";
import { MetricsSdk, TracesSdk } from "./support.ts";

afterEach(() => {
  for (const api of [metrics, trace, propagation, context]) api.disable();
});

const duration = "http.client.request.duration";

/** A mesh, and a call of it that is over when it resolves. */
async function calling(options: Parameters<typeof meshOf>[1] = {}) {
  const server = await serve((_request, response) => void response.end("ok"));
  const mesh = meshOf({ orders: server.port }, options);
  const call = async () => (await mesh.fetch("orders/1")).text();
  return { mesh, server, call };
}

/** The warnings of the process until the test has ended. */
function warnings(): string[] {
  const seen: string[] = [];
  const listener = (warning: Error) => void (warning.name === "MeshObserverWarning" && seen.push(warning.message));
  process.on("warning", listener);
  onTestFinished(() => void process.off("warning", listener));
  return seen;
}

describe("providers of an SDK that has no more than version 1.9 of the API asks for", () => {
  it("get metrics and gauges", async () => {
    const provider = new PlainMeterProvider();
    metrics.setGlobalMeterProvider(provider);
    const { call } = await calling();
    await call();
    await until("the attempt has ended", () => provider.measured.some(({ metric }) => metric === duration));
    provider.collect();
    const of = (name: string) => provider.measured.filter(({ metric }) => metric === name).map(({ value }) => value);
    expect(provider.scopes).toEqual(["inmesh@0.1.0"]);
    expect(of(duration)).toHaveLength(1);
    expect(of("inmesh.endpoints")).toEqual([1, 0, 0, 0]);
    expect(of("inmesh.client.picks")).toEqual([1]);
    expect(of("inmesh.client.attempts")).toEqual([1]);
  });

  it("get spans, and their context goes out", async () => {
    const provider = new PlainTracerProvider();
    trace.setGlobalTracerProvider(provider);
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    const { call, server } = await calling({ observers: [openTelemetry({ callSpans: true })] });
    await call();
    await until("both have ended", () => provider.ended.length === 2);
    expect(provider.ended.map(({ name }) => name)).toEqual(["GET", "inmesh orders"]);
    expect(provider.ended[0]?.attributes).toMatchObject({ "server.service.name": "orders", "http.response.status_code": 200 });
    expect(server.seen[0]?.headers["traceparent"]).toBe(`00-${"1".repeat(32)}-${"2".repeat(16)}-01`);
  });
});

describe("a mesh that is in use", () => {
  it("is measured and traced from the call on that follows the registration of an SDK, gauges included", async () => {
    const { call } = await calling();
    await call();
    const [metricsSdk, tracesSdk] = [new MetricsSdk(), new TracesSdk()];
    await call();
    await until("the span has ended", () => tracesSdk.spans.length === 1);
    expect((await metricsSdk.points(duration)).map(({ count }) => count)).toEqual([1]);
    expect((await metricsSdk.points("inmesh.endpoints")).map(({ value }) => value)).toEqual([1, 0, 0, 0]);
    await metricsSdk.close();
    await tracesSdk.close();
  });

  it("stays with the first of two SDKs: the API refuses the second", async () => {
    const first = new MetricsSdk();
    const second = new MeterProvider();
    expect(metrics.setGlobalMeterProvider(second)).toBe(false);
    const { call } = await calling();
    await call();
    expect((await first.points(duration)).map(({ count }) => count)).toEqual([1]);
    await first.close();
    await second.shutdown();
  });

  it("goes on with one that has been shut down, without a warning, and is measured by the next that takes its place", async () => {
    const seen = warnings();
    const { call } = await calling();
    for (let round = 0; round < 3; round++) {
      const [metricsSdk, tracesSdk] = [new MetricsSdk(), new TracesSdk()];
      await call();
      await until("the span has ended", () => tracesSdk.spans.length === 1);
      expect((await metricsSdk.points(duration)).map(({ count }) => count)).toEqual([1]);
      expect((await metricsSdk.points("inmesh.client.active_calls")).map(({ value }) => value)).toEqual([0]);
      await metricsSdk.provider.shutdown();
      await tracesSdk.provider.shutdown();
      expect(await call()).toBe("ok");
      await metricsSdk.close();
      await tracesSdk.close();
      expect(await call()).toBe("ok");
    }
    expect(seen).toEqual([]);
  });
});

describe("an exporter", () => {
  /** Calls with an SDK that exports as soon as it can, how `exporting` does it. */
  async function answersWith(exporting: () => void): Promise<string[]> {
    let exported = 0;
    const count = () => {
      exported++;
      exporting();
    };
    const shutdown = async () => {};
    const exporter = { export: count, shutdown, forceFlush: shutdown } as unknown as PushMetricExporter & SpanExporter;
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 20, exportTimeoutMillis: 10 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const tracerProvider = new TracerProvider({
      spanProcessors: [new BatchSpanProcessor({ exporter, maxExportBatchSize: 1, scheduledDelayMillis: 1, exportTimeoutMillis: 10 })],
    });
    metrics.setGlobalMeterProvider(meterProvider);
    trace.setGlobalTracerProvider(tracerProvider);
    const { call } = await calling();
    const answers = [await call()];
    await until("both have exported twice", () => exported >= 4);
    for (let round = 0; round < 20; round++) answers.push(await call());
    await Promise.allSettled([meterProvider.shutdown(), tracerProvider.shutdown()]);
    return answers;
  }

  it.each<[string, () => void]>([
    ["never comes back", () => {}],
    [
      "throws",
      () => {
        throw new Error("no route to the collector");
      },
    ],
  ])("that %s disturbs no call", async (_what, exporting) => {
    expect(await answersWith(exporting)).toEqual(Array(21).fill("ok"));
  });
});

const fail = (): never => {
  throw new Error("the SDK is broken");
};

describe("an SDK that throws", () => {
  it("when it is told a measurement gets the spans all the same", async () => {
    const instrument = () => ({ record: fail, add: fail });
    const meter = Object.assign(new PlainMeterProvider().getMeter("x"), { createHistogram: instrument, createCounter: instrument });
    metrics.setGlobalMeterProvider({ getMeter: () => meter });
    const provider = new PlainTracerProvider();
    trace.setGlobalTracerProvider(provider);
    const { call } = await calling({ observers: [openTelemetry({ callSpans: true })] });
    await call();
    await until("both have ended", () => provider.ended.length === 2);
  });

  it.each<[string, () => void]>([
    ["in getMeter", () => metrics.setGlobalMeterProvider({ getMeter: fail })],
    [
      "in record and add",
      () => {
        const provider = new PlainMeterProvider();
        const meter = provider.getMeter("x");
        const instrument = () => ({ record: fail, add: fail });
        metrics.setGlobalMeterProvider({
          getMeter: () => Object.assign(meter, { createHistogram: instrument, createCounter: instrument }),
        });
      },
    ],
    ["in getTracer", () => trace.setGlobalTracerProvider({ getTracer: fail })],
    ["in startSpan", () => trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: fail, startActiveSpan: fail }) })],
    [
      "in every method of its spans",
      () => {
        const span = new Proxy({}, { get: () => fail });
        trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => span as never, startActiveSpan: fail }) });
      },
    ],
    [
      "when a span ends",
      () => {
        const provider = new PlainTracerProvider();
        const { startSpan } = provider.getTracer();
        trace.setGlobalTracerProvider({
          getTracer: () => ({
            startActiveSpan: fail,
            startSpan: (name, options) => Object.assign(startSpan(name, options), { end: fail }),
          }),
        });
      },
    ],
    [
      "in its propagator",
      () => {
        trace.setGlobalTracerProvider(new PlainTracerProvider());
        propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] });
      },
    ],
    [
      "in its context manager",
      () => {
        trace.setGlobalTracerProvider(new PlainTracerProvider());
        context.setGlobalContextManager({ active: fail, with: fail, bind: fail, enable: fail, disable: () => fail } as never);
      },
    ],
  ])("%s is a warning, once, and no call notices", async (_where, register) => {
    const seen = warnings();
    register();
    const { call, server } = await calling({ observers: [openTelemetry({ callSpans: true })] });
    const answers = [await call(), await call(), await call()];
    expect(answers).toEqual(["ok", "ok", "ok"]);
    expect(server.seen).toHaveLength(3);
    await until("the warning is there", () => seen.length > 0);
    expect(seen).toEqual(["an observer of the mesh threw: Error: the SDK is broken"]);
  });
});
