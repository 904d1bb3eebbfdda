import { type WireOptions, wireOptions } from "../core/connection-options.ts";
import type { Interceptor } from "../core/dispatch.ts";
import { checkKeys } from "../core/settings/checks.ts";
import type { OptionRule } from "../core/settings/option-rule.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { custom, optionsOver } from "../core/settings/rules.ts";
import { quoted } from "../core/text/clean-text.ts";
import { type BoundaryOption, boundaryOption } from "../discovery/boundary/boundary-options.ts";
import { type WatchOptions, watchOptions } from "../discovery/watch-options.ts";
import { type DecodeOption, decodeOption } from "../fetch/decoding/decode-options.ts";
import { type TimeoutOption, timeoutOption } from "../policies/deadline.ts";
import { type HealthCheckOption, healthCheckOption } from "../rotation/health/health-check-options.ts";
import { type InstanceOptions, instanceOptions } from "./instance-options.ts";
import { optionHint } from "./option-hint.ts";
import { type LayerOptions, serviceLayers } from "./pipeline.ts";

/** The interceptors of the application. */
export interface InterceptorsOption {
  /** Interceptors around each call, the first outermost. Those of a service are inside those of the mesh. @default [] */
  readonly interceptors?: readonly Interceptor[];
}

const interceptorsOption = optionTable<InterceptorsOption>()({
  interceptors: custom<readonly Interceptor[]>({
    type: "Interceptor[]",
    atOnce: true,
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "function")))
        throw new TypeError(`${option} must be an array of functions`);
    },
  }),
});

/** Options that services may have of their own. */
export interface ServiceOptions
  extends InstanceOptions,
    LayerOptions,
    HealthCheckOption,
    TimeoutOption,
    WatchOptions,
    BoundaryOption,
    WireOptions,
    DecodeOption,
    InterceptorsOption {}

/** The tables of all options of a service. */
export const serviceTables = [
  instanceOptions,
  timeoutOption,
  watchOptions,
  boundaryOption,
  ...serviceLayers.map(({ options }) => options),
  healthCheckOption,
  wireOptions,
  decodeOption,
  interceptorsOption,
] as const;

/** The names of the options of a service. */
export const serviceOptionNames: readonly string[] = [...new Set(serviceTables.flatMap(({ names }) => names))];

type Values = Readonly<Record<string, unknown>>;

/** The groups of which a service takes over what it does not say itself. */
const combined = serviceTables.flatMap(({ rules }) =>
  Object.entries(rules as Readonly<Record<string, OptionRule<never>>>).flatMap(([name, { over }]) =>
    over === undefined ? [] : [{ name, over }],
  ),
);

/** The options of one service in place of the mesh's; `undefined` leaves the mesh's. */
export function withOverrides(options: ServiceOptions, own: ServiceOptions = {}): ServiceOptions {
  const [ofMesh, ofService] = [options, own] as readonly object[] as [Values, Values];
  const both = combined.filter(({ name }) => ofMesh[name] !== undefined && ofService[name] !== undefined);
  const groups = both.map(({ name, over }) => [name, over(ofMesh[name] as never, ofService[name] as never)]);
  return { ...optionsOver(options, own), ...Object.fromEntries(groups) };
}

/**
 * Checks the options of one service. `where` is their name in errors: `services.orders`; `namesOfMesh` are options that only the whole mesh has.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkServiceOptions(where: string, options: object, namesOfMesh: readonly string[]): void {
  checkKeys(where, options, serviceOptionNames, (key) =>
    namesOfMesh.includes(key) ? `${quoted(key)} is an option of createMesh, for all services` : optionHint(key, serviceTables),
  );
  checkServiceValues(`${where}.`, options);
}

/** Checks the options of a service in an object that may have others. `prefix` precedes their names in errors. */
export function checkServiceValues(prefix: string, options: object): void {
  for (const table of serviceTables) table.checkValues(prefix, options);
}
