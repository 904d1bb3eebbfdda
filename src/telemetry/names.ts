/** The instrumentation scope of every metric and span. */
export const scopeName = "inmesh";
/** The version the scope carries: this package's own. */
export const scopeVersion = "0.1.0";

/** Every attribute, by the name the code calls it. Where OpenTelemetry's semantic conventions have a name it is theirs; the rest starts with `inmesh.`. */
export const attribute = {
  method: "http.request.method",
  methodOriginal: "http.request.method_original",
  resendCount: "http.request.resend_count",
  status: "http.response.status_code",
  serverAddress: "server.address",
  service: "server.service.name",
  peerAddress: "network.peer.address",
  peerPort: "network.peer.port",
  urlFull: "url.full",
  urlTemplate: "url.template",
  errorType: "error.type",
  outcome: "inmesh.outcome",
  attempts: "inmesh.attempts",
  phase: "inmesh.attempt.phase",
  retryReason: "inmesh.retry.reason",
  retryDenial: "inmesh.retry.denial",
  breakerState: "inmesh.breaker.state",
  breakerScope: "inmesh.breaker.scope",
  endpointState: "inmesh.endpoint.state",
  discoveryOutcome: "inmesh.discovery.outcome",
} as const;

/** One metric: what its instrument is made of and what its points carry. */
export interface MetricDefinition {
  readonly name: string;
  readonly kind: "histogram" | "counter" | "observable gauge";
  /** UCUM, as OpenTelemetry wants it. */
  readonly unit: string;
  readonly description: string;
  /** Always there, or there when they apply. */
  readonly attributes: readonly string[];
  /** Added by an option: the option and what it adds. */
  readonly optional?: Readonly<Record<string, readonly string[]>>;
  /** Bucket boundaries of a histogram. */
  readonly buckets?: readonly number[];
}

/** What the code calls the metrics. */
export type MetricKey =
  | "attemptDuration"
  | "callDuration"
  | "attempts"
  | "retries"
  | "retriesDenied"
  | "breakerState"
  | "breakerTransitions"
  | "endpoints"
  | "discoveryAge"
  | "discoveryUpdates"
  | "discoveryErrors"
  | "discoveryRejected";

// What the semantic conventions advise for HTTP durations, in seconds.
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const peer = [attribute.peerAddress, attribute.peerPort];

/** Every metric. docs/telemetry.md is checked against this table. */
export const metricTable: Readonly<Record<MetricKey, MetricDefinition>> = {
  attemptDuration: {
    name: "http.client.request.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of one attempt, up to the end of the response body.",
    attributes: [attribute.method, attribute.serverAddress, attribute.service, attribute.status, attribute.errorType],
    optional: { perEndpoint: peer, perRoute: [attribute.urlTemplate] },
    buckets: durationBuckets,
  },
  callDuration: {
    name: "inmesh.client.call.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of a call with all its attempts and pauses, up to the end of the response body.",
    attributes: [attribute.service, attribute.method, attribute.outcome, attribute.errorType],
    optional: { perRoute: [attribute.urlTemplate] },
    buckets: durationBuckets,
  },
  attempts: {
    name: "inmesh.client.attempts",
    kind: "histogram",
    unit: "{attempt}",
    description: "Attempts per call, of calls that made at least one.",
    attributes: [attribute.service],
    buckets: [1, 2, 3, 4, 5],
  },
  retries: {
    name: "inmesh.client.retries",
    kind: "counter",
    unit: "{retry}",
    description: "Retries made, by what the attempt before had failed with.",
    attributes: [attribute.service, attribute.retryReason],
  },
  retriesDenied: {
    name: "inmesh.client.retries.denied",
    kind: "counter",
    unit: "{retry}",
    description: "Retries not made, by what forbade them.",
    attributes: [attribute.service, attribute.retryDenial],
  },
  breakerState: {
    name: "inmesh.breaker.state",
    kind: "observable gauge",
    unit: "1",
    description: "1 for the state the breaker is in, 0 for the two others; from its first transition on.",
    attributes: [attribute.service, attribute.breakerScope, attribute.breakerState],
    optional: { perEndpoint: peer },
  },
  breakerTransitions: {
    name: "inmesh.breaker.transitions",
    kind: "counter",
    unit: "{transition}",
    description: "Transitions of breakers, by the state entered.",
    attributes: [attribute.service, attribute.breakerScope, attribute.breakerState],
    optional: { perEndpoint: peer },
  },
  endpoints: {
    name: "inmesh.endpoints",
    kind: "observable gauge",
    unit: "{endpoint}",
    description: "Endpoints that discovery knows, and those of them that are in rotation.",
    attributes: [attribute.service, attribute.endpointState],
  },
  discoveryAge: {
    name: "inmesh.discovery.age",
    kind: "observable gauge",
    unit: "s",
    description: "Time since discovery last confirmed the endpoints in use.",
    attributes: [attribute.service],
  },
  discoveryUpdates: {
    name: "inmesh.discovery.updates",
    kind: "counter",
    unit: "{update}",
    description: "Answers of discovery, also those in which nothing had changed.",
    attributes: [attribute.service, attribute.discoveryOutcome],
  },
  discoveryErrors: {
    name: "inmesh.discovery.errors",
    kind: "counter",
    unit: "{error}",
    description: "Failures of discovery; the endpoints known before stay in use.",
    attributes: [attribute.service, attribute.errorType],
  },
  discoveryRejected: {
    name: "inmesh.discovery.rejected",
    kind: "counter",
    unit: "{entry}",
    description: "Entries of discovery's answers that were not usable as endpoints.",
    attributes: [attribute.service],
  },
};

/** One kind of span. */
export interface SpanDefinition {
  readonly name: string;
  readonly kind: "CLIENT" | "INTERNAL";
  readonly description: string;
  /** Set on every span, or where they apply. */
  readonly attributes: readonly string[];
}

/** Every kind of span. docs/telemetry.md is checked against this table. */
export const spanTable: Readonly<Record<"attempt" | "call", SpanDefinition>> = {
  attempt: {
    name: "{method} or {method} {route}",
    kind: "CLIENT",
    description: "One attempt, up to the end of the response body.",
    attributes: [
      attribute.method,
      attribute.methodOriginal,
      attribute.resendCount,
      attribute.serverAddress,
      attribute.service,
      attribute.peerAddress,
      attribute.peerPort,
      attribute.urlFull,
      attribute.urlTemplate,
      attribute.status,
      attribute.errorType,
      attribute.phase,
    ],
  },
  call: {
    name: "inmesh {service}",
    kind: "INTERNAL",
    description: "One call with all its attempts: every call with `callSpans`, else only a call that failed without an attempt.",
    attributes: [
      attribute.method,
      attribute.methodOriginal,
      attribute.service,
      attribute.urlTemplate,
      attribute.outcome,
      attribute.attempts,
      attribute.errorType,
    ],
  },
};
