import { checkInteger, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../core/options.ts";
import type { ClientPosition } from "./candidates/aperture.ts";
import type { PriorityOptions } from "./candidates/priority-load.ts";
import type { SlowStartOptions } from "./candidates/slow-start.ts";
import type { SubsetOptions } from "./candidates/subset.ts";
import type { ZoneAwareOptions } from "./candidates/zone-load.ts";

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

/** The names of {@link BalancingOptions}. */
export const balancingKeys = ["priorities", "zoneAware", "subset", "slowStart"] as const;

/**
 * Checks {@link BalancingOptions}.
 * @param prefix the path of the options in messages, ending in a dot, or an empty string
 * @throws TypeError or RangeError naming the option and the value
 */
export function checkBalancing(prefix: string, { priorities, zoneAware, subset, slowStart }: BalancingOptions): void {
  if (priorities !== undefined) {
    checkObject(`${prefix}priorities`, priorities);
    checkKeys(`${prefix}priorities`, priorities, ["overprovisioning", "panicRatio"]);
    checkNumber(`${prefix}priorities.overprovisioning`, priorities.overprovisioning, 1);
    checkNumber(`${prefix}priorities.panicRatio`, priorities.panicRatio, 0, 1);
  }
  if (zoneAware !== undefined && zoneAware !== false) {
    checkObject(`${prefix}zoneAware`, zoneAware);
    checkKeys(`${prefix}zoneAware`, zoneAware, ["minEndpoints", "callers"]);
    checkInteger(`${prefix}zoneAware.minEndpoints`, zoneAware.minEndpoints, 1);
    checkCallers(`${prefix}zoneAware.callers`, zoneAware.callers);
  }
  if (subset !== undefined && subset !== false) {
    checkObject(`${prefix}subset`, subset);
    checkKeys(`${prefix}subset`, subset, ["size", "seed", "client"]);
    checkInteger(`${prefix}subset.size`, subset.size ?? null, 1);
    checkInteger(`${prefix}subset.seed`, subset.seed, 0, 2 ** 32 - 1);
    if (subset.client !== undefined) checkClient(`${prefix}subset.client`, subset.client, subset.seed);
  }
  if (slowStart !== undefined && slowStart !== false) {
    checkObject(`${prefix}slowStart`, slowStart);
    checkKeys(`${prefix}slowStart`, slowStart, ["windowMs", "minRatio", "aggression"]);
    checkNumber(`${prefix}slowStart.windowMs`, slowStart.windowMs, 1);
    checkNumber(`${prefix}slowStart.minRatio`, slowStart.minRatio, 0.001, 1);
    checkNumber(`${prefix}slowStart.aggression`, slowStart.aggression, 0.001);
  }
}

function checkCallers(option: string, callers: ZoneAwareOptions["callers"]): void {
  if (typeof callers === "string") {
    checkText(option, callers);
    return;
  }
  if (callers !== undefined && (typeof callers !== "object" || callers === null || Array.isArray(callers)))
    refuseOption(option, callers, "numbers by zone or the name of a service");
  for (const [zone, count] of Object.entries(callers ?? {})) {
    checkNumber(`${option}.${zone}`, count ?? null, 0);
    if (count === Number.POSITIVE_INFINITY) throw new RangeError(`${option}.${zone} must be finite, not Infinity`);
  }
}

function checkClient(option: string, client: ClientPosition, seed: number | undefined): void {
  checkObject(option, client);
  checkKeys(option, client, ["index", "count"]);
  checkInteger(`${option}.count`, client.count ?? null, 1);
  checkInteger(`${option}.index`, client.index ?? null, 0, client.count - 1);
  if (seed !== undefined) throw new TypeError(`${option} takes no seed beside it: all clients need the same order, not ${seed}`);
}
