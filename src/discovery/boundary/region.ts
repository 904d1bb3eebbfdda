import type { Endpoint } from "../../core/endpoint.ts";
import { isRegionName } from "../../core/text/region-name.ts";

/** `eu-west-1a` of AWS lies in `eu-west-1`, `europe-west1-b` of Google Cloud in `europe-west1`. */
const zonesOfClouds = [/^([a-z]{2}(?:-[a-z]+)+-\d{1,2})[a-z]$/, /^([a-z]+-[a-z]+\d{1,2})-[a-z]$/] as const;

/**
 * The text that says in which region an endpoint is: its `region`, else the `region` of its metadata, else the region of its `zone`: that of a
 * zone of AWS or Google Cloud, else the zone itself. The first of them that is there decides, whatever it says. `undefined`: nothing says it.
 */
export function statedRegion({ region, metadata, zone }: Pick<Endpoint, "region" | "metadata" | "zone">): string | undefined {
  if (region !== undefined) return region;
  if (metadata !== undefined && Object.hasOwn(metadata, "region")) return metadata["region"];
  if (zone === undefined) return undefined;
  for (const pattern of zonesOfClouds) {
    const found = pattern.exec(zone)?.[1];
    if (found !== undefined) return found;
  }
  return zone;
}

/** The region of an endpoint; `undefined` where nothing says it, or the name is none that a region may have. */
export function regionOf(endpoint: Pick<Endpoint, "region" | "metadata" | "zone">): string | undefined {
  const stated = statedRegion(endpoint);
  return isRegionName(stated) ? stated : undefined;
}
