import { optionTable } from "../core/settings/option-table.ts";
import { group, orFalse } from "../core/settings/rules.ts";
import { type PriorityOptions, priorityOptions } from "./candidates/priority-load.ts";
import { type SlowStartOptions, slowStartOptions } from "./candidates/slow-start.ts";
import { checkSubset, type SubsetOptions, subsetOptions } from "./candidates/subset-options.ts";
import { type ZoneAwareOptions, zoneAwareOptions } from "./candidates/zone-aware-options.ts";

/** Which instances may be picked, and how the load is divided before the picker chooses. They work with every picker. */
export interface BalancingOptions {
  /** Division of the load between priorities when instances of the preferred one are not available. @default {} */
  readonly priorities?: PriorityOptions | undefined;
  /** Division of the load between zones, where the mesh knows its own `zone`; `false`: zones have no effect. @default {} */
  readonly zoneAware?: ZoneAwareOptions | false | undefined;
  /** Restricts this process to a part of the instances; `false`: all. @default false */
  readonly subset?: SubsetOptions | false | undefined;
  /** A growing share for instances that join or recover; `false`: the full share at once. @default false */
  readonly slowStart?: SlowStartOptions | false | undefined;
}

/** The rules of {@link BalancingOptions}. */
export const balancingOptions = optionTable<BalancingOptions>()({
  priorities: group(priorityOptions),
  zoneAware: orFalse(group(zoneAwareOptions)),
  subset: orFalse(group(subsetOptions, checkSubset), false),
  slowStart: orFalse(group(slowStartOptions), false),
});
