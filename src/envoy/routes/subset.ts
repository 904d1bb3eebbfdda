import { quoted } from "../../core/text/clean-text.ts";
import { metadataTexts } from "../clusters/endpoints.ts";
import type { Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/**
 * The part of a cluster's instances that a route asks for by metadata, the more specific last. Without `lb_subset_config` a cluster has no parts, and
 * what is asked for has no effect, as in Envoy. `undefined`: all instances.
 */
export function subsetOf(cluster: Part, matches: readonly (Part | undefined)[]): Options | undefined {
  const config = cluster.at("lb_subset_config");
  if (config === undefined) return undefined;
  const wanted = Object.assign({}, ...matches.map((match) => textsOf(match?.at("filter_metadata", "envoy.lb")))) as Record<string, string>;
  const keys = Object.keys(wanted).toSorted();
  const selector = config.list("subset_selectors").find((each) => {
    const own = each.list("keys").map((key) => key.text() ?? "");
    return own.length === keys.length && own.toSorted().every((key, index) => key === keys[index]);
  });
  const fallback = selectorFallback(selector) ?? config.text("fallback_policy") ?? "NO_FALLBACK";
  const standard = textsOf(config.at("default_subset"));
  if (keys.length > 0 && selector !== undefined) {
    if (fallback === "DEFAULT_SUBSET")
      config.refuse(
        `LbSubsetConfig.fallback_policy: where a subset is empty, a call fails or goes to any instance; DEFAULT_SUBSET cannot follow ${quoted(wanted)}`,
      );
    return { metadata: wanted, ...(fallback === "ANY_ENDPOINT" ? { whenEmpty: "any" } : {}) };
  }
  if (fallback === "DEFAULT_SUBSET") return Object.keys(standard).length === 0 ? undefined : { metadata: standard };
  if (fallback === "ANY_ENDPOINT") return undefined;
  return config.refuse(
    keys.length === 0
      ? "Cluster.lb_subset_config: with fallback_policy NO_FALLBACK every route to the cluster must have a metadata_match"
      : `Cluster.lb_subset_config has no subset_selector with the keys ${keys.join(", ")}, which a route asks for`,
  );
}

function textsOf(labels: Part | undefined): Record<string, string> {
  return labels === undefined ? {} : metadataTexts(labels);
}

function selectorFallback(selector: Part | undefined): string | undefined {
  const policy = selector?.text("fallback_policy");
  return policy === "NOT_DEFINED" ? undefined : policy;
}
