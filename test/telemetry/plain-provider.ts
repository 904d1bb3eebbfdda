import type {
  Attributes,
  BatchObservableCallback,
  Context,
  Counter,
  Gauge,
  Histogram,
  Meter,
  MeterProvider,
  Observable,
  Span,
  SpanContext,
  SpanOptions,
  Tracer,
  TracerProvider,
} from "@opentelemetry/api";

/** One measurement. */
export interface Measured {
  readonly metric: string;
  readonly value: number;
  readonly attributes: Attributes;
}

/** A meter provider that has what version 1.9 of the API asks for and no more, as an SDK of whatever version may. */
export class PlainMeterProvider implements MeterProvider {
  readonly measured: Measured[] = [];
  readonly scopes: string[] = [];
  readonly #callbacks = new Set<BatchObservableCallback>();

  getMeter(name: string, version?: string): Meter {
    this.scopes.push(`${name}@${version}`);
    const take =
      (metric: string) =>
      (value: number, attributes: Attributes = {}) =>
        void this.measured.push({ metric, value, attributes });
    const instrument = <T>(metric: string): T => ({ record: take(metric), add: take(metric), metric }) as T;
    const refuse = (): never => {
      throw new Error("not used by the mesh");
    };
    return {
      createHistogram: (metric: string) => instrument<Histogram>(metric),
      createCounter: (metric: string) => instrument<Counter>(metric),
      createObservableGauge: (metric: string) => instrument<Observable>(metric),
      addBatchObservableCallback: (callback: BatchObservableCallback) => void this.#callbacks.add(callback),
      removeBatchObservableCallback: (callback: BatchObservableCallback) => void this.#callbacks.delete(callback),
      createGauge: () => refuse() as Gauge,
      createUpDownCounter: refuse,
      createObservableCounter: refuse,
      createObservableUpDownCounter: (metric: string) => instrument<Observable>(metric),
    } as unknown as Meter;
  }

  /** Asks for what is observed. */
  collect(): void {
    const observe = (metric: Observable, value: number, attributes: Attributes = {}) =>
      void this.measured.push({ metric: (metric as unknown as { metric: string }).metric, value, attributes });
    for (const callback of this.#callbacks) void callback({ observe });
  }
}

/** One span. */
export interface Ended {
  readonly name: string;
  readonly attributes: Attributes;
}

/** The same for traces. */
export class PlainTracerProvider implements TracerProvider {
  readonly ended: Ended[] = [];

  getTracer(): Tracer {
    return {
      startSpan: (name: string, options: SpanOptions = {}, _context?: Context) => this.#span(name, { ...options.attributes }),
      startActiveSpan: () => {
        throw new Error("not used by the mesh");
      },
    } as unknown as Tracer;
  }

  #span(name: string, attributes: Attributes): Span {
    let last = name;
    const spanContext: SpanContext = { traceId: "1".repeat(32), spanId: "2".repeat(16), traceFlags: 1 };
    const span = {
      spanContext: () => spanContext,
      isRecording: () => true,
      setAttribute: (key: string, value: string) => Object.assign(attributes, { [key]: value }) && span,
      setAttributes: (more: Attributes) => Object.assign(attributes, more) && span,
      setStatus: () => span,
      updateName: (next: string) => {
        last = next;
        return span;
      },
      end: () => void this.ended.push({ name: last, attributes }),
    };
    return span as unknown as Span;
  }
}
