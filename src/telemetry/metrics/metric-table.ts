import { attribute } from "../attribute-names.ts";
import type { MetricKey } from "./metric-sink.ts";

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

// What the semantic conventions advise for HTTP durations, in seconds.
const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const { service } = attribute;
const peer = [attribute.peerAddress, attribute.peerPort];

/** Every metric, in the order of the documentation, whose table is written from this one. */
export const metricTable: Readonly<Record<MetricKey, MetricDefinition>> = {
  attemptDuration: {
    name: "http.client.request.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of one attempt, up to the end of the response body.",
    attributes: [attribute.method, attribute.serverAddress, service, attribute.status, attribute.errorType],
    optional: { perEndpoint: peer, perRoute: [attribute.urlTemplate] },
    buckets: durationBuckets,
  },
  callDuration: {
    name: "inmesh.client.call.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of a call with all its attempts and pauses, up to the end of the response body.",
    attributes: [service, attribute.method, attribute.outcome, attribute.errorType],
    optional: { perRoute: [attribute.urlTemplate] },
    buckets: durationBuckets,
  },
  attempts: {
    name: "inmesh.client.attempts",
    kind: "histogram",
    unit: "{attempt}",
    description: "Attempts per call, of calls that made at least one.",
    attributes: [service],
    buckets: [1, 2, 3, 4, 5],
  },
  activeCalls: {
    name: "inmesh.client.active_calls",
    kind: "observable gauge",
    unit: "{call}",
    description: "Calls that have not settled, or whose body is open.",
    attributes: [service],
  },
  picks: {
    name: "inmesh.client.picks",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts that have ended, by where their instance is: in the zone of this process or in another.",
    attributes: [service, attribute.zone],
  },
  deadlineExceeded: {
    name: "inmesh.client.deadline.exceeded",
    kind: "counter",
    unit: "{call}",
    description: "Calls that ended because their deadline had come.",
    attributes: [service],
  },
  retries: {
    name: "inmesh.client.retries",
    kind: "counter",
    unit: "{retry}",
    description: "Retries made, by what the attempt before had failed with.",
    attributes: [service, attribute.retryReason],
  },
  retriesDenied: {
    name: "inmesh.client.retries.denied",
    kind: "counter",
    unit: "{retry}",
    description: "Retries not made, by what forbade them.",
    attributes: [service, attribute.retryDenial],
  },
  retryBudget: {
    name: "inmesh.retry.budget",
    kind: "observable gauge",
    unit: "{retry}",
    description: "Retries and hedges that the budget would let through at this moment.",
    attributes: [service],
  },
  hedges: {
    name: "inmesh.client.hedges",
    kind: "counter",
    unit: "{hedge}",
    description: "Second attempts sent beside a slow one.",
    attributes: [service],
  },
  hedgesWon: {
    name: "inmesh.client.hedges.won",
    kind: "counter",
    unit: "{hedge}",
    description: "Second attempts whose answer was taken.",
    attributes: [service],
  },
  concurrencyLimit: {
    name: "inmesh.concurrency.limit",
    kind: "observable gauge",
    unit: "{attempt}",
    description: "Attempts that may be in flight at once, of a service with a limit.",
    attributes: [service],
  },
  concurrencyInFlight: {
    name: "inmesh.concurrency.in_flight",
    kind: "observable gauge",
    unit: "{attempt}",
    description: "Attempts that hold a place under the limit.",
    attributes: [service],
  },
  concurrencyQueued: {
    name: "inmesh.concurrency.queued",
    kind: "observable gauge",
    unit: "{attempt}",
    description: "Attempts that wait for a place under the limit.",
    attributes: [service],
  },
  breakerState: {
    name: "inmesh.breaker.state",
    kind: "observable gauge",
    unit: "{breaker}",
    description: "1 for the state the breaker is in, 0 for the two others; of an instance from its first transition on.",
    attributes: [service, attribute.breakerScope, attribute.breakerState],
    optional: { perEndpoint: peer },
  },
  breakerTransitions: {
    name: "inmesh.breaker.transitions",
    kind: "counter",
    unit: "{transition}",
    description: "Transitions of breakers, by the state entered.",
    attributes: [service, attribute.breakerScope, attribute.breakerState],
    optional: { perEndpoint: peer },
  },
  ejections: {
    name: "inmesh.ejections",
    kind: "counter",
    unit: "{ejection}",
    description: "Instances taken out of rotation, by the rule that did it.",
    attributes: [service, attribute.ejectionRule],
  },
  endpoints: {
    name: "inmesh.endpoints",
    kind: "observable gauge",
    unit: "{endpoint}",
    description: "Endpoints in use, by state; each is in one.",
    attributes: [service, attribute.endpointState],
  },
  panic: {
    name: "inmesh.panic",
    kind: "observable gauge",
    unit: "{service}",
    description: "1 while a priority has so few available endpoints that its requests go to all of them, else 0.",
    attributes: [service],
  },
  discoveryAge: {
    name: "inmesh.discovery.age",
    kind: "observable gauge",
    unit: "s",
    description: "Time since discovery last confirmed the endpoints in use.",
    attributes: [service],
  },
  discoveryUnconfirmed: {
    name: "inmesh.discovery.unconfirmed",
    kind: "observable gauge",
    unit: "{endpoint}",
    description: "Endpoints kept although discovery lists them no more.",
    attributes: [service],
  },
  discoveryUpdates: {
    name: "inmesh.discovery.updates",
    kind: "counter",
    unit: "{update}",
    description: "Answers of discovery, also those in which nothing had changed.",
    attributes: [service, attribute.discoveryOutcome],
  },
  discoveryErrors: {
    name: "inmesh.discovery.errors",
    kind: "counter",
    unit: "{error}",
    description: "Failures of discovery; the endpoints known before stay in use.",
    attributes: [service, attribute.errorType],
  },
  discoveryRejected: {
    name: "inmesh.discovery.rejected",
    kind: "counter",
    unit: "{entry}",
    description: "Entries of discovery's answers that were not usable as endpoints.",
    attributes: [service],
  },
  certificateExpiry: {
    name: "inmesh.tls.certificate.expiry",
    kind: "observable gauge",
    unit: "s",
    description: "When the client certificate ends, in seconds since the epoch; of a chain the first that does.",
    attributes: [],
  },
};

/** What the code calls the metrics of one kind. */
export function keysOf<Key extends MetricKey>(kind: MetricDefinition["kind"]): readonly Key[] {
  return (Object.keys(metricTable) as MetricKey[]).filter((key): key is Key => metricTable[key].kind === kind);
}
