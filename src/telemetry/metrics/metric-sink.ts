import type { Attributes, Context } from "@opentelemetry/api";

/** A histogram. */
export interface HistogramSink {
  /** Records one value. `context` is for exemplars: it holds the span of the attempt or the call, where there is one. */
  record(value: number, attributes: Attributes, context?: Context): void;
}

/** A counter. */
export interface CounterSink {
  add(value: number, attributes: Attributes): void;
}

/** Keys of the histograms. */
export type HistogramKey = "attemptDuration" | "callDuration" | "attempts" | "rpcClientDuration" | "serverDuration" | "rpcServerDuration";

/** Keys of the counters. */
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
  | "discoveryRejected"
  | "configChanges"
  | "serverRefused"
  | "authorizations"
  | "clearTextAttempts"
  | "clearTextRequests"
  | "serverConnections"
  | "serverConnectionsRefused"
  | "registrationLosses"
  | "routeCalls"
  | "mirrors"
  | "mirrorsLeftOut"
  | "faults"
  | "canaryChanges"
  | "serverCutOff";

/** Keys of the gauges, and of the sums that fall too, which are read at each collection instead of being recorded at each change. */
export type GaugeKey =
  | "activeCalls"
  | "retryBudget"
  | "concurrencyLimit"
  | "concurrencyInFlight"
  | "concurrencyQueued"
  | "breakerState"
  | "endpoints"
  | "endpointsAvoided"
  | "endpointShare"
  | "endpointFailures"
  | "endpointAvoided"
  | "endpointCost"
  | "panic"
  | "discoveryAge"
  | "discoveryUnconfirmed"
  | "configAge"
  | "configRefused"
  | "configRestart"
  | "certificateExpiry"
  | "certificateLifetime"
  | "identities"
  | "activeRequests"
  | "registrations"
  | "canaryState"
  | "canaryShare"
  | "servers";

/** Keys of all metrics. */
export type MetricKey = HistogramKey | CounterKey | GaugeKey;

/** The histograms and counters. Equal attributes are the same object each time, so that a sink can keep its series by that object. */
export type Instruments = Readonly<Record<HistogramKey, HistogramSink> & Record<CounterKey, CounterSink>>;

/** Takes the value of a gauge during a collection. */
export type Report<Key extends string> = (metric: Key, value: number, attributes: Attributes) => void;

/** The receiver of measurements: OpenTelemetry's SDK or a registry of Prometheus. */
export interface Sink {
  /** The instruments; `undefined` while measurements are not taken. Called before each measurement, so it must cost nanoseconds. */
  current(): Instruments | undefined;
  /** Ends the gauges for good. Histograms and counters still take values. */
  close(): void;
}

/** Makes a sink. `observe` reports the gauges; the sink calls it at each collection before it reads the counters, since it adds to some. */
export type SinkFactory = (observe: (report: Report<GaugeKey>) => void) => Sink;
