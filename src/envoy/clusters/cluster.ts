import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";
import type { Resources } from "../text/resources.ts";
import { connectionOf } from "./connection.ts";
import { healthCheckOf } from "./health.ts";
import { budgetOf, ejectionOf, limitsOf } from "./limits.ts";
import { type Balancing, balancingOf } from "./picker.ts";
import { serviceNameOf } from "./service-name.ts";
import { type ClusterSource, sourceOf } from "./source.ts";
import { type ClusterTls, type Secrets, tlsOf } from "./tls.ts";

/** A cluster as a service: where its endpoints come from, and its options. */
export interface ReadCluster {
  /** The name of the service. */
  readonly name: string;
  readonly part: Part;
  readonly source: ClusterSource;
  readonly options: Options;
  readonly tls: ClusterTls | undefined;
  readonly isHashed: boolean;
}

/** The surroundings that a cluster is read with. */
export interface ClusterContext {
  readonly resources: Resources;
  readonly secrets: Secrets;
  /** The servers that are asked for names, where the cluster does not say them. */
  readonly resolver: Part | undefined;
  /** Whether zones of instances count: with a local cluster, as in Envoy. */
  readonly isZoneAware: boolean;
}

/** Reads a cluster that was checked. */
export function readCluster(part: Part, { resources, secrets, resolver, isZoneAware }: ClusterContext): ReadCluster {
  const name = serviceNameOf(part);
  const balancing = balancingOf(part);
  const { protocol, connections } = connectionOf(part);
  const tls = tlsOf(part, secrets);
  const { connections: most, ...limits } = limitsOf(part, protocol === "h2");
  const source = sourceOf(part, name, { resources, rules: balancing, resolver });
  const options = given({
    // Turns by weight cost more than turns.
    picker: balancing.picker === "roundRobin" && JSON.stringify(source).includes('"weight":') ? "weighted" : balancing.picker,
    balancing: balancingOptions(part, balancing, source, isZoneAware),
    protocol,
    connections: { ...connections, ...(most as Options | undefined) },
    ...limits,
    ...ejectionOf(part),
    // Only routes have retries and time limits in Envoy. Their budget is that of the service: 3 at a time there where nothing is said.
    retry: { maxAttempts: 1, budget: budgetOf(part) ?? { ratio: 1, minRetriesPerSecond: 100 } },
    attemptTimeoutMs: false,
    healthCheck: healthCheckOf(part),
    peer: tls?.peer,
  });
  const isHashed =
    typeof balancing.picker === "object" && balancing.picker !== null && ("ringHash" in balancing.picker || "maglev" in balancing.picker);
  return { name, part, source, options, tls, isHashed };
}

function isOn(zones: Part | undefined): boolean {
  const percent = zones?.percent("routing_enabled") ?? 100;
  if (percent > 0 && percent < 100)
    zones
      ?.at("routing_enabled")
      ?.notice("difference", "ZoneAwareLbConfig.routing_enabled", "zones count for all calls or for none; here for all");
  return percent > 0;
}

/** Priorities, panic, zones and slow start, as Envoy has them. */
function balancingOptions(part: Part, { slowStart, zones }: Balancing, source: ClusterSource, isZoneAware: boolean): Options {
  const panic = part.percent("common_lb_config", "healthy_panic_threshold") ?? 50;
  const factor = source.overprovisioningFactor ?? 140;
  return given({
    priorities: { panicRatio: Math.min(1, panic / 100), overprovisioning: Math.max(1, factor / 100) },
    zoneAware: isZoneAware && isOn(zones()) ? { minEndpoints: Math.max(1, zones()?.number("min_cluster_size") ?? 6) } : false,
    slowStart,
  });
}
