import { attribute } from "../attribute-names.ts";
import { durationBuckets, type MetricDefinition } from "./metric-definition.ts";
import type { MetricKey } from "./metric-sink.ts";

const { service } = attribute;

/** The metrics of this process as an instance: of its registrations, and of its servers. */
export const serverMetricTable = {
  registrations: {
    name: "inmesh.registrations",
    kind: "observable gauge",
    unit: "{registration}",
    description: "Registrations of this process as an instance of the service, one for each registry, by their state.",
    attributes: [service, attribute.registrationState],
  },
  registrationLosses: {
    name: "inmesh.registration.losses",
    kind: "counter",
    unit: "{loss}",
    description: "Times that a registry had lost a registration of this process, or had given its id to another process.",
    attributes: [service],
  },
  serverDuration: {
    name: "http.server.request.duration",
    kind: "histogram",
    unit: "s",
    description:
      "Duration of a request that this process served, up to the end of the response body; of calls of gRPC to a server of grpc-js see the next.",
    attributes: [attribute.method, attribute.scheme, attribute.route, attribute.status, attribute.errorType, attribute.protocolVersion],
    buckets: durationBuckets,
  },
  rpcServerDuration: {
    name: "rpc.server.call.duration",
    kind: "histogram",
    unit: "s",
    description:
      "Duration of a call of gRPC that this process served, up to its status; at most 100 methods get series of their own, and those that do not exist none.",
    attributes: [attribute.rpcSystem, attribute.rpcMethod, attribute.rpcStatus, attribute.errorType],
    buckets: durationBuckets,
  },
  activeRequests: {
    name: "http.server.active_requests",
    kind: "observable up-down counter",
    unit: "{request}",
    description: "Requests that this process serves at this moment.",
    attributes: [attribute.method, attribute.scheme],
  },
  serverRefused: {
    name: "inmesh.server.refused",
    kind: "counter",
    unit: "{request}",
    description: "Requests refused before any handler saw them, by the part that did it.",
    attributes: [attribute.serverRefusal],
  },
  authorizations: {
    name: "inmesh.server.authorizations",
    kind: "counter",
    unit: "{request}",
    description:
      "Decisions on requests by the rules of this server, with the rule that decided; at most 100 of them get series of their own.",
    attributes: [attribute.authorizationDecision, attribute.authorizationRule],
  },
  servers: {
    name: "inmesh.servers",
    kind: "observable gauge",
    unit: "{server}",
    description: "Servers of this process (`inmesh/server`) as instances of the service, by their state.",
    attributes: [service, attribute.serverState],
  },
  serverCutOff: {
    name: "inmesh.server.cut_off",
    kind: "counter",
    unit: "{request}",
    description:
      "Requests, upgraded connections and tracked work that had not ended within `graceMs` when their server stopped, and were cut off.",
    attributes: [service],
  },
} satisfies Partial<Record<MetricKey, MetricDefinition>>;
