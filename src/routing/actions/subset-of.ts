import type { Subset } from "../../core/routed.ts";
import { versionRange } from "../matching/version-range.ts";
import type { RouteSubset } from "../route.ts";

/** Makes the part of the instances that a rule names. */
export function subsetOf({ name, metadata = {}, version, whenEmpty = "fail" }: RouteSubset): Subset {
  const wanted = Object.entries(metadata);
  const isIn = version === undefined ? undefined : versionRange(version);
  return {
    name: name ?? subsetName(wanted, version),
    whenEmpty,
    has({ metadata: given = {} }) {
      if (isIn !== undefined && !isIn(given["version"] ?? "")) return false;
      return wanted.every(([key, value]) => Object.hasOwn(given, key) && given[key] === value);
    },
  };
}

function subsetName(metadata: readonly (readonly [string, string])[], version: string | undefined): string {
  return [...metadata.map(([key, value]) => `${key}=${value}`), ...(version === undefined ? [] : [`version ${version}`])].join(",");
}
