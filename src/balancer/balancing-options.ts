import { checkInteger, checkKeys, checkNumber, checkObject, checkText, refuseOption } from "../core/options.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { custom, group, integer, number, orFalse } from "../core/settings/rules.ts";
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

const priorityOptions = optionTable<PriorityOptions>()({
  overprovisioning: number({ default: 1.4, min: 1 }),
  panicRatio: number({ defaultText: "0.5 with several priorities, 0 with one", min: 0, max: 1 }),
});

const zoneAwareOptions = optionTable<ZoneAwareOptions>()({
  minEndpoints: integer({ default: 6, min: 1 }),
  callers: custom<ZoneAwareOptions["callers"]>({
    type: "object | string",
    default: undefined,
    defaultText: "as many in each zone that the service has an instance in",
    check: checkCallers,
  }),
});

const subsetOptions = optionTable<SubsetOptions>()({
  size: { type: "number", default: undefined as never, defaultText: "must be given", range: "at least 1", check: checkSize },
  seed: integer({ defaultText: "a random one", min: 0, max: 2 ** 32 - 1 }),
  client: custom<ClientPosition | undefined>({ type: "object", default: undefined, defaultText: "none", check: checkClient }),
});

const slowStartOptions = optionTable<SlowStartOptions>()({
  windowMs: number({ default: 10_000, min: 1, unit: "ms" }),
  minRatio: number({ default: 0.1, min: 0.001, max: 1 }),
  aggression: number({ default: 1, min: 0.001 }),
});

/** The rules of {@link BalancingOptions}. */
export const balancingOptions = optionTable<BalancingOptions>()({
  priorities: group(priorityOptions),
  zoneAware: orFalse(group(zoneAwareOptions)),
  subset: orFalse(group(subsetOptions, checkSeed), false),
  slowStart: orFalse(group(slowStartOptions), false),
});

function checkCallers(option: string, given: unknown): void {
  const callers = given as ZoneAwareOptions["callers"];
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

function checkSize(option: string, size: unknown): void {
  checkInteger(option, size ?? null, 1);
}

function checkClient(option: string, given: unknown): void {
  checkObject(option, given);
  const client = given as ClientPosition;
  checkKeys(option, client, ["index", "count"]);
  checkInteger(`${option}.count`, client.count ?? null, 1);
  checkInteger(`${option}.index`, client.index ?? null, 0, client.count - 1);
}

function checkSeed(option: string, { client, seed }: SubsetOptions): void {
  if (client !== undefined && seed !== undefined)
    throw new TypeError(`${option}.client takes no seed beside it: all clients need the same order, not ${seed}`);
}
