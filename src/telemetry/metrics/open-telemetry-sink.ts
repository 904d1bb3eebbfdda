import type { BatchObservableCallback, Counter, Histogram, Meter, MeterProvider, Observable } from "@opentelemetry/api";
import { scopeName, scopeVersion } from "../attribute-names.ts";
import { loadedApi, openTelemetryApi } from "../open-telemetry-api.ts";
import type { CounterKey, GaugeKey, HistogramKey, Instruments, Report, Sink } from "./metric-sink.ts";
import { keysOf, metricTable } from "./metric-table.ts";

/**
 * The instruments of the meter provider that is registered now. Metrics have no proxy as traces do: an instrument made before the SDK is
 * registered never records anything. So the instruments are made when a provider is first seen, and again when another one is.
 */
export class OpenTelemetrySink implements Sink {
  readonly #observe: (report: Report<GaugeKey>) => void;
  #provider: MeterProvider | undefined = undefined;
  #instruments: Instruments | undefined = undefined;
  #release: (() => void) | undefined = undefined;
  #isClosed = false;

  /** `observe` reports the gauges; it is registered as one callback per meter. */
  constructor(observe: (report: Report<GaugeKey>) => void) {
    this.#observe = observe;
  }

  /** `undefined` while no SDK is registered; finding that out costs nanoseconds. */
  current(): Instruments | undefined {
    const api = openTelemetryApi();
    if (api === undefined) return undefined;
    const provider = api.metrics.getMeterProvider();
    return provider === this.#provider ? this.#instruments : this.#rebind(provider);
  }

  /** Ends the gauges for good. Calls and attempts that still end are recorded. */
  close(): void {
    this.#isClosed = true;
    this.#release?.();
    this.#release = undefined;
  }

  #rebind(provider: MeterProvider): Instruments | undefined {
    if (this.#isClosed) return undefined;
    this.#release?.();
    this.#release = undefined;
    this.#provider = provider;
    const meter = provider.getMeter(scopeName, scopeVersion);
    this.#instruments = undefined;
    // The API returns this meter without an SDK, and so does an SDK that has been shut down.
    if (meter === loadedApi().createNoopMeter()) return undefined;
    this.#instruments = createInstruments(meter);
    this.#release = observeGauges(meter, this.#observe);
    return this.#instruments;
  }
}

function createInstruments(meter: Meter): Instruments {
  const all: Partial<Record<HistogramKey, Histogram> & Record<CounterKey, Counter>> = {};
  for (const key of keysOf<HistogramKey>("histogram")) {
    const { name, unit, description, buckets = [] } = metricTable[key];
    all[key] = meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...buckets] } });
  }
  for (const key of keysOf<CounterKey>("counter")) {
    const { name, unit, description } = metricTable[key];
    all[key] = meter.createCounter(name, { unit, description });
  }
  return all as Instruments;
}

/** Registers `observe` for each collection; returns the function that ends it. */
function observeGauges(meter: Meter, observe: (report: Report<GaugeKey>) => void): () => void {
  const gauges: Partial<Record<GaugeKey, Observable>> = {};
  for (const key of keysOf<GaugeKey>("observable gauge", "observable up-down counter")) {
    const { name, unit, description, kind } = metricTable[key];
    gauges[key] =
      kind === "observable gauge"
        ? meter.createObservableGauge(name, { unit, description })
        : meter.createObservableUpDownCounter(name, { unit, description });
  }
  const callback: BatchObservableCallback = (result) =>
    observe((key, value, attributes) => result.observe(gauges[key] as Observable, value, attributes));
  const observables = Object.values(gauges);
  meter.addBatchObservableCallback(callback, observables);
  return () => meter.removeBatchObservableCallback(callback, observables);
}
