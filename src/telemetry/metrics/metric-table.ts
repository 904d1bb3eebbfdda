import { attribute } from "../attribute-names.ts";
import { canaryMetricTable } from "./canary/canary-metric-table.ts";
import { configMetricTable } from "./configuration/config-metric-table.ts";
import { durationBuckets, type MetricDefinition } from "./metric-definition.ts";
import type { MetricKey } from "./metric-sink.ts";
import { routeMetricTable } from "./route-metric-table.ts";
import { securityMetricTable } from "./security-metric-table.ts";
import { serverMetricTable } from "./server-metric-table.ts";

const { service } = attribute;
const peer = [attribute.peerAddress, attribute.peerPort];

/** Every metric, in the order of the table in docs/reference/telemetry.md, which is generated from this one. */
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
  rpcClientDuration: {
    name: "rpc.client.call.duration",
    kind: "histogram",
    unit: "s",
    description:
      "Duration of a call of gRPC or Connect with all its attempts and pauses, up to its status; at most 100 methods of a service get series of their own.",
    attributes: [attribute.rpcSystem, attribute.rpcMethod, attribute.rpcStatus, attribute.errorType, attribute.serverAddress, service],
    buckets: durationBuckets,
  },
  activeCalls: {
    name: "inmesh.client.active_calls",
    kind: "observable gauge",
    unit: "{call}",
    description: "Calls in flight: not settled, or with an open response body.",
    attributes: [service],
  },
  picks: {
    name: "inmesh.client.picks",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts that have ended, by the zone of their instance relative to this process.",
    attributes: [service, attribute.zone],
  },
  deadlineExceeded: {
    name: "inmesh.client.deadline.exceeded",
    kind: "counter",
    unit: "{call}",
    description: "Calls that ended at their deadline.",
    attributes: [service],
  },
  retries: {
    name: "inmesh.client.retries",
    kind: "counter",
    unit: "{retry}",
    description: "Retries made, by the status or the error code of the attempt before.",
    attributes: [service, attribute.retryReason],
  },
  retriesDenied: {
    name: "inmesh.client.retries.denied",
    kind: "counter",
    unit: "{retry}",
    description: "Retries not made, by the reason.",
    attributes: [service, attribute.retryDenial],
  },
  retryBudget: {
    name: "inmesh.retry.budget",
    kind: "observable gauge",
    unit: "{retry}",
    description: "Retries and hedges that the budget allows at this moment.",
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
    description: "Attempts in flight under the limit.",
    attributes: [service],
  },
  concurrencyQueued: {
    name: "inmesh.concurrency.queued",
    kind: "observable gauge",
    unit: "{attempt}",
    description: "Attempts in the queue of the limit.",
    attributes: [service],
  },
  breakerState: {
    name: "inmesh.breaker.state",
    kind: "observable gauge",
    unit: "{breaker}",
    description: "1 for the state of the breaker, 0 for the two others; of an instance from its first transition on.",
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
    description: "Endpoints in use, by the state of their instance.",
    attributes: [service, attribute.endpointState],
  },
  endpointsAvoided: {
    name: "inmesh.endpoints.avoided",
    kind: "observable gauge",
    unit: "{endpoint}",
    description: "Endpoints in rotation that the picker avoids, and tries from time to time.",
    attributes: [service],
  },
  endpointShare: {
    name: "inmesh.endpoint.share",
    kind: "observable gauge",
    unit: "{share}",
    description:
      "Share of the attempts of the last minute that an instance got, and share that it is meant to have, 0 to 1. With `perEndpoint` only.",
    attributes: [service, attribute.shareKind, ...peer],
  },
  endpointFailures: {
    name: "inmesh.endpoint.failure.share",
    kind: "observable gauge",
    unit: "{share}",
    description: "Share of the attempts at an instance that failed by its fault, of every kind, 0 to 1. With `perEndpoint` only.",
    attributes: [service, ...peer],
  },
  endpointAvoided: {
    name: "inmesh.endpoint.avoided",
    kind: "observable gauge",
    unit: "{endpoint}",
    description: "1 while the picker avoids the instance, else 0. With `perEndpoint` only.",
    attributes: [service, ...peer],
  },
  endpointCost: {
    name: "inmesh.endpoint.cost",
    kind: "observable gauge",
    unit: "s",
    description: "Cost of an instance to the picker `adaptive`, by its terms, which add up to it. With `perEndpoint` only.",
    attributes: [service, attribute.costTerm, ...peer],
  },
  panic: {
    name: "inmesh.panic",
    kind: "observable gauge",
    unit: "{service}",
    description: "1 while a priority has so few available instances that its requests go to all of them, else 0.",
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
    description: "Endpoints kept in use although discovery no longer lists them.",
    attributes: [service],
  },
  discoveryUpdates: {
    name: "inmesh.discovery.updates",
    kind: "counter",
    unit: "{update}",
    description: "Answers of discovery, unchanged ones included.",
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
    description: "Entries in answers of discovery that are not usable as endpoints.",
    attributes: [service],
  },
  ...configMetricTable,
  ...routeMetricTable,
  ...canaryMetricTable,
  ...securityMetricTable,
  ...serverMetricTable,
};

/** The keys of the metrics of some kinds. */
export function keysOf<Key extends MetricKey>(...kinds: readonly MetricDefinition["kind"][]): readonly Key[] {
  return (Object.keys(metricTable) as MetricKey[]).filter((key): key is Key => kinds.includes(metricTable[key].kind));
}
