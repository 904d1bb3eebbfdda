import type { Attributes, Context } from "@opentelemetry/api";

/** Takes the values of a histogram. */
export interface HistogramSink {
  /** `context`: what the value was measured in, for exemplars: the one with the span of the attempt or the call, if it has one. */
  record(value: number, attributes: Attributes, context?: Context): void;
}

/** Takes the increments of a counter. */
export interface CounterSink {
  add(value: number, attributes: Attributes): void;
}

/** The histograms, by what the code calls them. */
export type HistogramKey = "attemptDuration" | "callDuration" | "attempts";

/** The counters. */
export type CounterKey =
  | "picks"
  | "retries"
  | "retriesDenied"
  | "hedges"
  | "hedgesWon"
  | "deadlineExceeded"
  | "breakerTransitions"
  | "ejections"
  | "discoveryUpdates"
  | "discoveryErrors"
  | "discoveryRejected";

/** What is not recorded when it changes but read when somebody collects. */
export type GaugeKey =
  | "activeCalls"
  | "retryBudget"
  | "concurrencyLimit"
  | "concurrencyInFlight"
  | "concurrencyQueued"
  | "breakerState"
  | "endpoints"
  | "panic"
  | "discoveryAge"
  | "discoveryUnconfirmed"
  | "certificateExpiry";

/** Every metric, by what the code calls it. */
export type MetricKey = HistogramKey | CounterKey | GaugeKey;

/** What measurements are recorded with. The same attributes are the same object each time, so that what is made of them can be kept by it. */
export type Instruments = Readonly<Record<HistogramKey, HistogramSink> & Record<CounterKey, CounterSink>>;

/** Says a value of something that is read when somebody collects. */
export type Report<Key extends string> = (metric: Key, value: number, attributes: Attributes) => void;

/** Where measurements go. */
export interface Sink {
  /** `undefined` while nobody takes any; asked before each measurement, so it must cost nanoseconds. */
  current(): Instruments | undefined;
  /** Ends reading the gauges, for good. What is still recorded is taken. */
  close(): void;
}

/** Makes a sink. `observe` says the gauges: to be called whenever somebody collects, before the counters are read, since it adds to some. */
export type SinkFactory = (observe: (report: Report<GaugeKey>) => void) => Sink;
