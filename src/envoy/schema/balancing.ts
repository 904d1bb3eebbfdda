import { anyOf, choice, duration, flag, label, list, marker, name, real, settled, struct, whole } from "../text/kinds.ts";
import { type Kind, message } from "../text/message.ts";
import { percent } from "./values.ts";

const runtimeDouble = message("RuntimeDouble", () => ({
  fields: { default_value: real },
  nothing: { "there is no runtime that changes values; the default counts": "runtime_key" },
}));

const slowStart = message("SlowStartConfig", () => ({
  fields: { slow_start_window: duration, aggression: runtimeDouble, min_weight_percent: percent },
  unread: { "without a slow_start_window there is no slow start": "aggression min_weight_percent" },
}));

const consistentHashing = message("ConsistentHashingLbConfig", () => ({
  fields: { use_hostname_for_hashing: flag, hash_balance_factor: whole(100) },
  unread: { "the policy of the cluster makes no hash": "use_hostname_for_hashing hash_balance_factor" },
  missing: { "the key of a request is said by its route": "hash_policy" },
}));

const zoneAware = message("ZoneAwareLbConfig", () => ({
  fields: { routing_enabled: percent, min_cluster_size: whole() },
  differs: { "in a panic all instances are used": "fail_traffic_on_panic" },
  unread: { "zones do not count with routing_enabled: 0": "min_cluster_size" },
  missing: { "zones are compared by their numbers of instances": "force_locality_direct_routing force_local_zone locality_basis" },
}));

const localityConfig = message("LocalityLbConfig", () => ({
  fields: { zone_aware_lb_config: zoneAware, locality_weighted_lb_config: marker },
  unread: { "zones count beside a cluster_manager.local_cluster_name": "zone_aware_lb_config" },
}));

const hashingUnread = { "consistent_hashing_lb_config goes before it": "use_hostname_for_hashing hash_balance_factor" };
const oneChoice = "instances of all weights are compared alike";

const roundRobinFields = { slow_start_config: slowStart };
const leastRequestFields = { choice_count: whole(2), active_request_bias: runtimeDouble, slow_start_config: slowStart };
const ringFields = {
  minimum_ring_size: whole(1, 8_388_608),
  maximum_ring_size: whole(1, 8_388_608),
  hash_function: settled(["XX_HASH", "DEFAULT_HASH"]),
};
const maglevFields = { table_size: whole(2, 5_000_011) };

/** The settings of policies as fields of a cluster. */
export const clusterBalancing: Readonly<Record<string, Kind>> = {
  ring_hash_lb_config: message("RingHashLbConfig", () => ({ fields: ringFields })),
  maglev_lb_config: message("MaglevLbConfig", () => ({ fields: maglevFields })),
  least_request_lb_config: message("LeastRequestLbConfig", () => ({ fields: leastRequestFields })),
  round_robin_lb_config: message("RoundRobinLbConfig", () => ({ fields: roundRobinFields })),
  common_lb_config: message("CommonLbConfig", () => ({
    fields: {
      healthy_panic_threshold: percent,
      zone_aware_lb_config: zoneAware,
      locality_weighted_lb_config: marker,
      consistent_hashing_lb_config: consistentHashing,
    },
    unread: {
      "zones count beside a cluster_manager.local_cluster_name": "zone_aware_lb_config",
      "that of the policy goes before it": "consistent_hashing_lb_config",
    },
    nothing: {
      "changes count at once": "update_merge_window",
      "an instance that is not checked yet is in rotation": "ignore_new_hosts_until_first_hc",
      "connections end as their requests do": "close_connections_on_host_set_change",
    },
    missing: { "a call does not name its instance": "override_host_status" },
  })),
  lb_subset_config: subsetConfig(),
};

function subsetConfig(): Kind {
  const selector = message("LbSubsetSelector", () => ({
    fields: { keys: list(name), fallback_policy: choice(["NOT_DEFINED", "NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"]) },
    unread: { "no route asks for these keys": "fallback_policy" },
    missing: { "a subset is all instances with its metadata": "single_host_per_subset fallback_keys_subset" },
  }));
  return message("LbSubsetConfig", () => ({
    fields: {
      fallback_policy: choice(["NO_FALLBACK", "ANY_ENDPOINT", "DEFAULT_SUBSET"]),
      default_subset: struct,
      subset_selectors: list(selector),
    },
    unread: {
      "each route has a subset_selector with a fallback_policy of its own, or asks for no metadata": "fallback_policy default_subset",
      "a selector before it has the same keys, or no route asks for them": "subset_selectors",
    },
    missing: {
      "weights of localities are those of the whole service": "locality_weight_aware scale_locality_weight",
      "panic is judged within the subset": "panic_mode_any",
      "metadata are texts": "list_as_any",
      "a subset is one set of metadata": "metadata_fallback_policy",
    },
  }));
}

const prefix = "envoy.extensions.load_balancing_policies.";

/** The policies as extensions, by their types without this beginning and the name of their message. */
export const policyTypes: Readonly<Record<string, string>> = {
  [`${prefix}round_robin.v3.RoundRobin`]: "ROUND_ROBIN",
  [`${prefix}least_request.v3.LeastRequest`]: "LEAST_REQUEST",
  [`${prefix}random.v3.Random`]: "RANDOM",
  [`${prefix}ring_hash.v3.RingHash`]: "RING_HASH",
  [`${prefix}maglev.v3.Maglev`]: "MAGLEV",
  [`${prefix}client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`]: "REPORTED",
  [`${prefix}wrr_locality.v3.WrrLocality`]: "WRR_LOCALITY",
};

const kindsOfPolicies = (): Readonly<Record<string, Kind>> => ({
  [`${prefix}round_robin.v3.RoundRobin`]: message("RoundRobin", () => ({
    fields: { ...roundRobinFields, locality_lb_config: localityConfig },
  })),
  [`${prefix}least_request.v3.LeastRequest`]: message("LeastRequest", () => ({
    fields: {
      ...leastRequestFields,
      locality_lb_config: localityConfig,
      selection_method: choice(["N_CHOICES", "FULL_SCAN"]),
      enable_full_scan: flag,
    },
    unread: { "of all instances the least busy is taken": "choice_count enable_full_scan" },
  })),
  [`${prefix}random.v3.Random`]: message("Random", () => ({ fields: { locality_lb_config: localityConfig } })),
  [`${prefix}ring_hash.v3.RingHash`]: message("RingHash", () => ({
    fields: {
      ...ringFields,
      use_hostname_for_hashing: flag,
      hash_balance_factor: whole(100),
      consistent_hashing_lb_config: consistentHashing,
      locality_weighted_lb_config: marker,
    },
    unread: hashingUnread,
  })),
  [`${prefix}maglev.v3.Maglev`]: message("Maglev", () => ({
    fields: { ...maglevFields, consistent_hashing_lb_config: consistentHashing, locality_weighted_lb_config: marker },
  })),
  [`${prefix}client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`]: message("ClientSideWeightedRoundRobin", () => ({
    fields: {
      slow_start_config: slowStart,
      blackout_period: duration,
      weight_expiration_period: duration,
      error_utilization_penalty: real,
    },
    nothing: { "weights are renewed with each report": "weight_update_period" },
    missing: {
      "reports come with answers": "enable_oob_load_report oob_reporting_period oob_reporting_config",
      [oneChoice]: "metric_names_for_computing_utilization",
    },
  })),
  [`${prefix}wrr_locality.v3.WrrLocality`]: message("WrrLocality", () => ({ fields: { endpoint_picking_policy: balancingPolicy } })),
});

/** Policies in order of preference, of which the first that is known counts. */
export const balancingPolicy: Kind = message("LoadBalancingPolicy", () => ({
  fields: {
    policies: list(
      message("Policy", () => ({
        fields: {
          typed_extension_config: message("TypedExtensionConfig", () => ({
            fields: { name: label, typed_config: anyOf(kindsOfPolicies) },
          })),
        },
      })),
    ),
  },
  unread: { "the first policy that is known counts, as in Envoy": "policies" },
}));
