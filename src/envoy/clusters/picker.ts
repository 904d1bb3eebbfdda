import { policyTypes } from "../schema/balancing.ts";
import { given, type Options } from "../text/data.ts";
import { typeOf } from "../text/kinds.ts";
import type { Part } from "../text/part.ts";

/** The policy of a cluster by its name, and the part with its settings. */
interface Policy {
  readonly name: string;
  readonly settings: Part | undefined;
  readonly at: Part;
}

/** How a cluster is balanced. */
export interface Balancing {
  readonly picker: unknown;
  readonly slowStart: Options | undefined;
  /** The settings by which zones count. Asked for where they do. */
  zones(): Part | undefined;
  readonly byLocalityWeight: boolean;
  readonly byHostname: boolean;
}

const settingsOf: Readonly<Record<string, string>> = {
  ROUND_ROBIN: "round_robin_lb_config",
  LEAST_REQUEST: "least_request_lb_config",
  RING_HASH: "ring_hash_lb_config",
  MAGLEV: "maglev_lb_config",
};

/** The balancing of a cluster: by its extension where it has one, else by the policy and its settings as fields. */
export function balancingOf(cluster: Part): Balancing {
  const policy = policyOf(cluster);
  const { settings } = policy;
  const common = cluster.at("common_lb_config");
  const hashing = settings?.at("consistent_hashing_lb_config") ?? common?.at("consistent_hashing_lb_config");
  return {
    picker: pickerOf(policy, hashing),
    zones: () => settings?.at("locality_lb_config", "zone_aware_lb_config") ?? common?.at("zone_aware_lb_config"),
    slowStart: slowStartOf(settings?.at("slow_start_config")),
    byLocalityWeight:
      policy.at.text() === "WRR_LOCALITY" ||
      [
        settings?.at("locality_lb_config", "locality_weighted_lb_config"),
        settings?.at("locality_weighted_lb_config"),
        common?.at("locality_weighted_lb_config"),
      ].some((each) => each !== undefined),
    byHostname:
      (policy.name === "RING_HASH" || policy.name === "MAGLEV") &&
      (hashing?.flag("use_hostname_for_hashing") ?? settings?.flag("use_hostname_for_hashing") ?? false),
  };
}

function policyOf(cluster: Part): Policy {
  const extended = cluster.at("load_balancing_policy");
  if (extended !== undefined) return extension(extended);
  const name = cluster.text("lb_policy") ?? "ROUND_ROBIN";
  const at = cluster.at("lb_policy") ?? cluster;
  if (name === "CLUSTER_PROVIDED" || name === "LOAD_BALANCING_POLICY_CONFIG")
    at.refuse(`Cluster.lb_policy: ${name} needs a load_balancing_policy`);
  const field = settingsOf[name];
  return { name, settings: field === undefined ? undefined : cluster.at(field), at };
}

/** The first policy of a list, since each that passed the check is known. */
function extension(policy: Part): Policy {
  const config = policy.list("policies")[0]?.at("typed_extension_config", "typed_config");
  if (config === undefined) return policy.refuse("LoadBalancingPolicy.policies must have a policy");
  const name = policyTypes[typeOf(config) ?? ""] as string;
  if (name !== "WRR_LOCALITY") return { name, settings: config, at: policy };
  const inner = config.at("endpoint_picking_policy") ?? config.refuse("WrrLocality.endpoint_picking_policy is missing");
  return { ...extension(inner), at: policy.anew("WRR_LOCALITY") };
}

function pickerOf({ name, settings, at }: Policy, hashing: Part | undefined): unknown {
  const bound = (): Options => {
    const balanceFactor = hashing?.number("hash_balance_factor") ?? settings?.number("hash_balance_factor") ?? 0;
    return balanceFactor === 0 ? {} : { balanceFactor };
  };
  switch (name) {
    case "RANDOM":
      return "random";
    case "LEAST_REQUEST":
      return leastRequest(settings, at);
    case "RING_HASH": {
      const smallest = settings?.number("minimum_ring_size") ?? 1_024;
      // Points are what the smallest ring needs, and no more: as in Envoy, 1,024 together where nothing else is said.
      return {
        ringHash: { virtualNodes: 1, minRingSize: smallest, maxRingSize: settings?.number("maximum_ring_size") ?? 8_388_608, ...bound() },
      };
    }
    case "MAGLEV":
      return { maglev: given({ tableSize: settings?.number("table_size"), ...bound() }) };
    case "REPORTED":
      return {
        weighted: given({
          by: "reported",
          blackoutMs: settings?.ms("blackout_period"),
          expirationMs: settings?.ms("weight_expiration_period"),
          errorUtilizationPenalty: settings?.number("error_utilization_penalty"),
        }),
      };
    default:
      return "roundRobin";
  }
}

function leastRequest(settings: Part | undefined, at: Part): unknown {
  const isFull = settings?.text("selection_method") === "FULL_SCAN" || settings?.flag("enable_full_scan") === true;
  const bias = settings?.number("active_request_bias", "default_value");
  if (bias !== undefined && bias !== 1)
    (settings?.at("active_request_bias") ?? at).refuse(
      "LeastRequest.active_request_bias: requests in flight count as they are, which is 1",
    );
  return { leastRequest: { choices: isFull ? "all" : (settings?.number("choice_count") ?? 2) } };
}

function slowStartOf(config: Part | undefined): Options | undefined {
  if (config === undefined) return undefined;
  const windowMs = config.ms("slow_start_window") ?? 0;
  if (windowMs === 0) return undefined;
  const least = config.percent("min_weight_percent") ?? 10;
  return { windowMs, minRatio: Math.max(0.001, least / 100), aggression: config.number("aggression", "default_value") ?? 1 };
}
