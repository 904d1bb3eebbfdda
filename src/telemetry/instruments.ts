import type { BatchObservableCallback, Counter, Histogram, Meter, MeterProvider, Observable, ObservableGauge } from "@opentelemetry/api";
import { createNoopMeter, metrics } from "@opentelemetry/api";
import { type MetricKey, metricTable, scopeName, scopeVersion } from "./names.ts";

/** The instruments of one meter. */
export interface Instruments {
  readonly attemptDuration: Histogram;
  readonly callDuration: Histogram;
  readonly attempts: Histogram;
  readonly retries: Counter;
  readonly retriesDenied: Counter;
  readonly breakerTransitions: Counter;
  readonly discoveryUpdates: Counter;
  readonly discoveryErrors: Counter;
  readonly discoveryRejected: Counter;
  readonly breakerState: ObservableGauge;
  readonly endpoints: ObservableGauge;
  readonly discoveryAge: ObservableGauge;
}

/**
 * The instruments of the meter provider that is registered now. Metrics have no proxy as traces do: an instrument made
 * before the SDK is registered stays dead for ever. So they are made when a provider is first seen, and again
 * when another one is.
 */
export class InstrumentSource {
  readonly #observe: (instruments: Instruments, observe: Parameters<BatchObservableCallback>[0]) => void;
  #provider: MeterProvider | undefined = undefined;
  #instruments: Instruments | undefined = undefined;
  #release: (() => void) | undefined = undefined;
  #isClosed = false;

  /** `observe` reports the observable instruments; one callback per meter. */
  constructor(observe: (instruments: Instruments, observe: Parameters<BatchObservableCallback>[0]) => void) {
    this.#observe = observe;
  }

  /** `undefined` while no SDK is registered, which costs nanoseconds to find out. */
  current(): Instruments | undefined {
    const provider = metrics.getMeterProvider();
    return provider === this.#provider ? this.#instruments : this.#rebind(provider);
  }

  /** Stops reporting the observable instruments, for good. What still ends is recorded. */
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
    // What the API hands out without an SDK, and an SDK that has been shut down.
    if (meter === createNoopMeter()) return undefined;
    const instruments = createInstruments(meter);
    const observables: Observable[] = [instruments.breakerState, instruments.endpoints, instruments.discoveryAge];
    const callback: BatchObservableCallback = (result) => this.#observe(instruments, result);
    meter.addBatchObservableCallback(callback, observables);
    this.#release = () => meter.removeBatchObservableCallback(callback, observables);
    this.#instruments = instruments;
    return instruments;
  }
}

function createInstruments(meter: Meter): Instruments {
  const histogram = (key: MetricKey): Histogram => {
    const { name, unit, description, buckets } = metricTable[key];
    return meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...(buckets ?? [])] } });
  };
  const counter = (key: MetricKey): Counter => {
    const { name, unit, description } = metricTable[key];
    return meter.createCounter(name, { unit, description });
  };
  const gauge = (key: MetricKey): ObservableGauge => {
    const { name, unit, description } = metricTable[key];
    return meter.createObservableGauge(name, { unit, description });
  };
  return {
    attemptDuration: histogram("attemptDuration"),
    callDuration: histogram("callDuration"),
    attempts: histogram("attempts"),
    retries: counter("retries"),
    retriesDenied: counter("retriesDenied"),
    breakerTransitions: counter("breakerTransitions"),
    discoveryUpdates: counter("discoveryUpdates"),
    discoveryErrors: counter("discoveryErrors"),
    discoveryRejected: counter("discoveryRejected"),
    breakerState: gauge("breakerState"),
    endpoints: gauge("endpoints"),
    discoveryAge: gauge("discoveryAge"),
  };
}
