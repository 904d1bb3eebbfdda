import { choice, label, list, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { address, locality, metadata } from "./values.ts";

const inmeshChecks = "instances are checked at the address that serves";

const endpoint = message("Endpoint", () => ({
  fields: { address, hostname: text },
  unread: { "instances are known by their addresses; with use_hostname_for_hashing alone the hash is by this name": "hostname" },
  nothing: { [inmeshChecks]: "health_check_config", "it is a name for Envoy's own figures": "observability_name" },
  missing: { "an instance has one address; a name may have several": "additional_addresses" },
}));

const lbEndpoint = message("LbEndpoint", () => ({
  fields: {
    endpoint,
    health_status: choice(["UNKNOWN", "HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED"]),
    metadata,
    load_balancing_weight: whole(1),
  },
  unread: { "its locality has no weight, and gets no requests": "endpoint health_status metadata load_balancing_weight" },
  missing: { "endpoints stand where they are used": "endpoint_name" },
}));

const localityEndpoints = message("LocalityLbEndpoints", () => ({
  fields: { locality, lb_endpoints: list(lbEndpoint), load_balancing_weight: whole(0), priority: whole(0, 128) },
  unread: {
    "without locality_weighted_lb_config the weights of endpoints count alone, as in Envoy": "load_balancing_weight",
    "the locality has no weight, and gets no requests": "locality lb_endpoints priority",
  },
  nothing: { "nothing in Envoy reads it": "proximity metadata" },
  missing: { "resources come from files here, and not from a control plane": "load_balancer_endpoints leds_cluster_locality_config" },
}));

/** The endpoints of a cluster. */
export const loadAssignment: Kind = message("ClusterLoadAssignment", () => ({
  fields: {
    cluster_name: label,
    endpoints: list(localityEndpoints),
    policy: message("Policy", () => ({
      fields: { overprovisioning_factor: whole(1) },
      nothing: { "endpoints of a file do not grow old": "endpoint_stale_after" },
      missing: {
        "no requests are dropped on purpose": "drop_overloads",
        "priorities are by numbers of instances": "weighted_priority_health",
      },
    })),
  },
  missing: { "endpoints stand where they are used": "named_endpoints" },
}));
