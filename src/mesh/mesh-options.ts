import { inspect } from "node:util";
import { type Clock, type Random, systemClock } from "../core/clock.ts";
import type { Observer } from "../core/observing/observer.ts";
import { checkKeys, checkObject } from "../core/options.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { custom, group, integer, number, text } from "../core/settings/rules.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";
import { type TlsOptions, tlsOptions } from "../wire/tls.ts";
import { ServiceNames } from "./service-names.ts";
import { checkServiceOptions, checkServiceValues, type ServiceOptions, serviceOptionNames } from "./service-options.ts";

/** The service of a declared name or target: `orders` of `orders` and of `` `orders/${number}` ``. */
export type ServiceNameOf<Declared extends string> = Declared extends `${infer Name}/${string}` ? Name : Declared;

/** What the whole mesh has once. `Declared`: what may be called, as for `createMesh`. */
export interface WholeMeshOptions<Declared extends string = string> {
  /** Where endpoints come from; several are combined by `fallback(a, b)` or `union(a, b)`. */
  readonly discovery: Discovery;
  /** Observers of calls, attempts and events, such as metrics. @default [openTelemetry()] */
  readonly observers?: readonly Observer[];
  /**
   * The failure domain that this process is in, as discovery names those of the instances: with it, instances of the same zone are
   * preferred. @default none
   */
  readonly zone?: string;
  /** Overrides for single services, by name. @default none */
  readonly services?: { readonly [Name in ServiceNameOf<Declared>]?: ServiceOptions };
  /**
   * The services that may be called. With it a key of `services` and a call outside of the list are a `TypeError` that says what was
   * probably meant, and the compiler checks targets without a type argument. @default every name
   */
  readonly serviceNames?: readonly (Declared | ServiceNameOf<Declared>)[];
  /** TLS towards instances that speak it. */
  readonly tls?: TlsOptions;
  /**
   * A directory in which the last good endpoints of each service are kept (files of mode 0600 with a checksum), so that a process that
   * starts while the registry is down can call all the same. @default none
   */
  readonly lastGoodDirectory?: string;
  /** Services watched at a time; the one unused for longest makes room. @default 128 */
  readonly maxServices?: number;
  /** How long `close()` waits for calls in flight, in milliseconds. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** The source of time, for tests and simulations. @default the process's own clock */
  readonly clock?: Clock;
  /** The source of chance; a seeded one makes jitter and picks repeatable. @default Math.random */
  readonly random?: Random;
}

/** Options of `createMesh`. `Declared`: what may be called, as for `createMesh`. */
export interface MeshOptions<Declared extends string = string> extends ServiceOptions, WholeMeshOptions<Declared> {}

/** The rules of {@link WholeMeshOptions}. */
export const wholeMeshOptions = optionTable<WholeMeshOptions>()({
  discovery: {
    type: "Discovery",
    default: undefined as unknown as Discovery,
    defaultText: "must be given",
    check(_option, value) {
      if (typeof (value as Partial<Discovery> | null | undefined)?.watch !== "function")
        throw new TypeError("discovery must be a Discovery, such as consul() or staticDiscovery({ … }): it has no watch method");
    },
  },
  observers: custom<readonly Observer[] | undefined>({
    type: "Observer[]",
    default: undefined,
    defaultText: "`[openTelemetry()]`",
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null)))
        throw new TypeError(`${option} must be an array of observers, not ${inspect(value, { depth: 1 })}`);
    },
  }),
  zone: text("none"),
  services: custom<Readonly<Partial<Record<string, ServiceOptions>>>>({
    type: "object",
    default: {},
    defaultText: "none",
    check(option, value) {
      checkObject(option, value);
      for (const [name, service] of Object.entries(value as object)) {
        if (service === undefined) continue;
        checkObject(`${option}.${name}`, service);
        checkServiceOptions(`${option}.${name}`, service as object);
      }
    },
  }),
  serviceNames: custom<readonly string[] | undefined>({
    type: "string[]",
    default: undefined,
    defaultText: "every name",
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "")))
        throw new TypeError(`${option} must be an array of names of services, not ${inspect(value, { depth: 1 })}`);
    },
  }),
  tls: group(tlsOptions),
  lastGoodDirectory: text("none"),
  maxServices: integer({ default: 128, min: 1 }),
  drainTimeoutMs: number({ default: 5_000, min: 0, unit: "ms" }),
  clock: custom<Clock>({
    type: "Clock",
    default: systemClock,
    defaultText: "the process's own clock",
    check(option, value) {
      const clock = value as Partial<Clock> | null;
      if (typeof clock?.now !== "function" || typeof clock.setTimer !== "function")
        throw new TypeError(`${option} must be a Clock, not ${inspect(value, { depth: 0 })}`);
    },
  }),
  random: custom<Random>({
    type: "() => number",
    default: Math.random,
    defaultText: "`Math.random`",
    check(option, value) {
      if (typeof value !== "function")
        throw new TypeError(`${option} must be a function that returns numbers in [0, 1), not ${inspect(value)}`);
    },
  }),
});

/** The options of a whole mesh with the defaults filled in. */
export type MeshSettings = Settled<typeof wholeMeshOptions.rules> & { readonly observers: readonly Observer[] };

/** The names of the options of `createMesh`. */
export const meshOptionNames: readonly string[] = [...serviceOptionNames, ...wholeMeshOptions.names];

/**
 * Checks everything that `createMesh` was given.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkMeshOptions(options: MeshOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("createMesh needs options: createMesh({ discovery })");
  checkKeys("createMesh", options, meshOptionNames);
  wholeMeshOptions.checkValues("", options);
  checkServiceValues("", options);
  const names = new ServiceNames(options.serviceNames);
  for (const name of Object.keys(options.services ?? {})) {
    const refusal = names.refusalOf(name, "services");
    if (refusal !== undefined) throw refusal;
  }
}

/** The settings of a whole mesh. */
export function settleMesh(options: MeshOptions): MeshSettings {
  const settings = wholeMeshOptions.settle(options);
  return { ...settings, observers: settings.observers ?? [openTelemetry()] };
}
