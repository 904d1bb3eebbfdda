import { attribute } from "../attribute-names.ts";
import type { MetricDefinition } from "./metric-definition.ts";
import type { MetricKey } from "./metric-sink.ts";

const { service } = attribute;

/** The metrics of identities and of encryption. */
export const securityMetricTable = {
  identities: {
    name: "inmesh.identities",
    kind: "observable gauge",
    unit: "{identity}",
    description: "Identities of this process towards instances (`client`) and of its servers towards callers (`server`), by their state.",
    attributes: [attribute.identityRole, attribute.identityState],
  },
  certificateExpiry: {
    name: "inmesh.tls.certificate.expiry",
    kind: "observable gauge",
    unit: "s",
    description:
      "Expiry of the certificate of this process towards instances or callers, in seconds since the epoch; of a chain, and of several servers, the earliest.",
    attributes: [attribute.identityRole],
  },
  certificateLifetime: {
    name: "inmesh.tls.certificate.lifetime",
    kind: "observable gauge",
    unit: "s",
    description: "Lifetime of that certificate, from the beginning of its validity to the end.",
    attributes: [attribute.identityRole],
  },
  clearTextAttempts: {
    name: "inmesh.client.attempts.clear_text",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts that have ended at instances without TLS, of a process that has an identity.",
    attributes: [service],
  },
  clearTextRequests: {
    name: "inmesh.server.requests.clear_text",
    kind: "counter",
    unit: "{request}",
    description: 'Requests in clear text to servers with an identity, which `callers.mode: "permissive"` lets pass.',
    attributes: [],
  },
  serverConnections: {
    name: "inmesh.server.connections",
    kind: "counter",
    unit: "{connection}",
    description: "Connections that servers with an identity have taken, by their encryption.",
    attributes: [service, attribute.encryption],
  },
  serverConnectionsRefused: {
    name: "inmesh.server.connections.refused",
    kind: "counter",
    unit: "{connection}",
    description: "Connections that servers with an identity have refused before a request was read, by the reason.",
    attributes: [service, attribute.connectionRefusal],
  },
} satisfies Partial<Record<MetricKey, MetricDefinition>>;
