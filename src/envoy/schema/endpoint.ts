import { choice, duration, list, name, text, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { address, locality, metadata } from "./values.ts";

const inmeshChecks = "instances are checked at the address that serves";

const endpoint = message("Endpoint", () => ({
  fields: { address, hostname: text },
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
  missing: { "endpoints stand where they are used": "endpoint_name" },
}));

const localityEndpoints = message("LocalityLbEndpoints", () => ({
  fields: { locality, lb_endpoints: list(lbEndpoint), load_balancing_weight: whole(0), priority: whole(0, 128) },
  nothing: { "nothing in Envoy reads it": "proximity metadata" },
  missing: { "resources come from files here, and not from a control plane": "load_balancer_endpoints leds_cluster_locality_config" },
}));

/** The endpoints of a cluster. */
export const loadAssignment: Kind = message("ClusterLoadAssignment", () => ({
  fields: {
    cluster_name: name,
    endpoints: list(localityEndpoints),
    policy: message("Policy", () => ({
      fields: { overprovisioning_factor: whole(1), endpoint_stale_after: duration },
      missing: {
        "no requests are dropped on purpose": "drop_overloads",
        "priorities are by numbers of instances": "weighted_priority_health",
      },
    })),
  },
  missing: { "endpoints stand where they are used": "named_endpoints" },
}));
