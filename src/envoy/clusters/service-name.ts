import { quoted } from "../../core/text/clean-text.ts";
import { withoutHyphensAround } from "../../core/text/hyphens.ts";
import type { Part } from "../text/part.ts";

/**
 * The name of the service that a cluster is: its own, with a dot in place of what a name of a service cannot have, such as the bars of
 * `outbound|9080||reviews.default.svc` and the slashes of `default/blog/80`.
 */
export function serviceNameOf(cluster: Part): string {
  const name = cluster.at("name")?.text() || cluster.refuse("Cluster.name is missing");
  const labels = name.split(/[^\w-]+/).map((label) => withoutHyphensAround(label.slice(0, 63)));
  const joined = labels.filter((label) => label !== "").join(".");
  // A name of digits would be an address.
  const service = /^[\d.]+$/.test(joined) ? `cluster.${joined}` : joined;
  if (service === "") cluster.refuse(`Cluster.name ${quoted(name)} has nothing of which the name of a service can be made`);
  if (service !== name)
    cluster
      .at("name")
      ?.notice("difference", "Cluster.name", `the service is ${quoted(service)}: ${quoted(name)} has what a name of a service cannot have`);
  return service;
}
