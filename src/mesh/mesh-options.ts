import type { Clock, Random } from "../core/clock.ts";
import type { Observer } from "../core/observing/observer.ts";
import { checkKeys, checkObject, refuseOption } from "../core/settings/checks.ts";
import { clockRule } from "../core/settings/clock-rule.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { atOnce, choice, custom, group, integer, number, ratio, text } from "../core/settings/rules.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { IdentitySource } from "../identity/identity-source.ts";
import { checkSharedKeys } from "../routing/canary/shared-keys.ts";
import { checkRoutedServices, type RefusalOf } from "../routing/checks/check-routes.ts";
import { type RoutesOption, routesOption } from "../routing/routes-option.ts";
import { openTelemetry } from "../telemetry/open-telemetry.ts";
import { type TlsOptions, tlsOptions } from "../wire/tls.ts";
import { optionHint } from "./option-hint.ts";
import { checkServiceName, ServiceNames } from "./service-names.ts";
import { checkServiceOptions, checkServiceValues, type ServiceOptions, serviceOptionNames, serviceTables } from "./service-options.ts";

/** The name of the service in a declared name or target: `orders` in `orders` and in `` `orders/${number}` ``. */
export type ServiceNameOf<Declared extends string> = Declared extends `${infer Name}/${string}` ? Name : Declared;

/** Options of the whole mesh. `Declared`: the services and targets that may be called, as for {@link MeshOptions}. */
export interface WholeMeshOptions<Declared extends string = string> extends RoutesOption {
  /** The source of endpoints. Several sources are combined by `fallback(a, b)` or `union(a, b)`. */
  readonly discovery: Discovery;
  /** Observers of calls, attempts and events, such as metrics. @default [openTelemetry()] */
  readonly observers?: readonly Observer[];
  /**
   * The failure domain of this process, by the name that discovery has for it. With it, instances of the same zone are preferred.
   * @default none
   */
  readonly zone?: string;
  /** Options of single services, by name; they take precedence over those of the mesh. @default none */
  readonly services?: { readonly [Name in ServiceNameOf<Declared>]?: ServiceOptions };
  /**
   * The services that may be called. With it, a key of `services` or a call outside of the list is a `TypeError` with "did you mean", and the
   * compiler checks targets without a type argument. @default every name
   */
  readonly serviceNames?: readonly (Declared | ServiceNameOf<Declared>)[];
  /** TLS to instances that speak it. */
  readonly tls?: TlsOptions;
  /**
   * The source of this process's identity, such as `fileIdentity({ … })`, which may change while the mesh runs. Instances are verified by it on each
   * connection. Not together with `tls`. @default none
   */
  readonly identity?: IdentitySource;
  /**
   * The time within which connections of an earlier identity end, in milliseconds, at most a tenth of the certificate's lifetime: each instance's at
   * a random moment of it. @default 300000
   */
  readonly identityGraceMs?: number;
  /** The oldest version of TLS that is spoken with an `identity`. @default "TLSv1.3" */
  readonly identityMinVersion?: "TLSv1.3" | "TLSv1.2";
  /**
   * A directory for the last good endpoints of each service, in files of mode 0600 with a checksum: a process that starts while the registry
   * is down uses them. Neither the directory nor a file may be writable by others. @default none
   */
  readonly lastGoodDirectory?: string;
  /** Age up to which endpoints in `lastGoodDirectory` are used, in milliseconds: their addresses may belong to others by then. @default 86400000 */
  readonly lastGoodMaxAgeMs?: number;
  /**
   * Services with endpoints that are watched at a time; beyond it, the least recently used one without calls in flight is dropped. For names that
   * discovery has never listed, at most this many watches begin at once, then 16 a second, and 32 are kept. @default 128
   */
  readonly maxServices?: number;
  /**
   * Share of the calls whose decisions are recorded, 0 to 1, for observers and `traceOf(response)`: the instances that a call saw with their costs,
   * which was chosen, and why. A call chooses for itself by `init.mesh.trace`. @default 0
   */
  readonly traceRatio?: number;
  /** Time for which `close()` waits for calls in flight, in milliseconds. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** The source of time, for tests and simulations. @default the process's own clock */
  readonly clock?: Clock;
  /** The source of random numbers; a seeded one makes jitter and picks repeatable. @default Math.random */
  readonly random?: Random;
}

/**
 * Options of `createMesh`. `Declared`: the services (`"users" | "orders"`) and targets (`` `users/${number}` ``) that may be called, which the
 * compiler checks.
 */
export interface MeshOptions<Declared extends string = string> extends ServiceOptions, WholeMeshOptions<Declared> {}

/** Options of `mesh.reconfigure`: those that change; `undefined` stands for the default. */
export type ChangedOptions = { readonly [Name in keyof MeshOptions]?: MeshOptions[Name] | undefined };

/** The rules of {@link WholeMeshOptions}. */
export const wholeMeshOptions = optionTable<WholeMeshOptions>()({
  discovery: {
    type: "Discovery",
    named: "discovery",
    default: undefined as unknown as Discovery,
    defaultText: "must be given",
    check(_option, value) {
      if (typeof (value as Partial<Discovery> | null | undefined)?.watch !== "function")
        throw new TypeError("discovery must be a Discovery, such as consul() or staticDiscovery({ … }): it has no watch method");
    },
  },
  observers: custom<readonly Observer[] | undefined>({
    type: "Observer[]",
    named: "observers",
    default: undefined,
    defaultText: "`[openTelemetry()]`",
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null)))
        refuseOption(option, value, "an array of observers");
    },
  }),
  zone: text("none"),
  services: custom<Readonly<Partial<Record<string, ServiceOptions>>>>({
    type: "object",
    named: "services",
    atOnce: true,
    default: {},
    defaultText: "none",
    check(option, value) {
      checkObject(option, value);
      for (const [name, service] of Object.entries(value as object)) {
        if (service === undefined) continue;
        checkObject(`${option}.${name}`, service);
        checkServiceOptions(`${option}.${name}`, service as object, wholeMeshOptions.names);
      }
    },
  }),
  serviceNames: custom<readonly string[] | undefined>({
    type: "string[]",
    atOnce: true,
    default: undefined,
    defaultText: "every name",
    check(option, value) {
      if (!(Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "")))
        refuseOption(option, value, "an array of names of services");
      for (const name of value) checkServiceName(option, name);
    },
  }),
  ...routesOption.rules,
  tls: group(tlsOptions),
  identity: custom<IdentitySource | undefined>({
    type: "IdentitySource",
    named: "identity",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      if (typeof (value as Partial<IdentitySource> | null)?.watch !== "function")
        throw new TypeError(`${option} must be an IdentitySource, such as fileIdentity({ … }): it has no watch method`);
    },
  }),
  identityGraceMs: number({ default: 300_000, min: 0, unit: "ms" }),
  identityMinVersion: choice(["TLSv1.3", "TLSv1.2"], "TLSv1.3"),
  lastGoodDirectory: text("none"),
  lastGoodMaxAgeMs: number({ default: 86_400_000, min: 1_000, unit: "ms" }),
  maxServices: integer({ default: 128, min: 1 }),
  traceRatio: atOnce(ratio(0)),
  drainTimeoutMs: atOnce(number({ default: 5_000, min: 0, unit: "ms" })),
  clock: clockRule,
  random: custom<Random>({
    type: "() => number",
    default: Math.random,
    defaultText: "`Math.random`",
    check(option, value) {
      if (typeof value !== "function") refuseOption(option, value, "a function that returns numbers in [0, 1)");
    },
  }),
});

/** The options of a whole mesh with the defaults filled in. */
export type MeshSettings = Settled<typeof wholeMeshOptions.rules> & { readonly observers: readonly Observer[] };

/** The names of the options of `createMesh`. */
export const meshOptionNames: readonly string[] = [...serviceOptionNames, ...wholeMeshOptions.names];

/**
 * Checks the options of `createMesh`.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkMeshOptions(options: MeshOptions): void {
  if (typeof options !== "object" || options === null) throw new TypeError("createMesh needs options: createMesh({ discovery })");
  checkKeys("createMesh", options, meshOptionNames, (key) => optionHint(key, [...serviceTables, wholeMeshOptions]));
  wholeMeshOptions.checkValues("", options);
  checkServiceValues("", options);
  checkIdentity(options);
  const names = new ServiceNames(options.serviceNames);
  for (const name of Object.keys(options.services ?? {})) {
    const refusal = names.refusalOf(name, "services");
    if (refusal !== undefined) throw refusal;
  }
  if (!Array.isArray(options.routes)) return;
  checkRoutedServices("routes", options.routes, refusalOfRoute(names));
  checkSharedKeys("routes", options.routes, options.canaryState !== undefined);
}

/** Why routes may not lead to a service: it is none, or `serviceNames` does not have it. */
export function refusalOfRoute(names: ServiceNames): RefusalOf {
  return (service, option) => {
    try {
      checkServiceName(option, service);
    } catch (error) {
      return error as Error;
    }
    return names.refusalOf(service, option);
  };
}

/** One of them would be used and the other one passed over, without a word. */
function checkIdentity({ tls, identity, identityGraceMs, identityMinVersion }: MeshOptions): void {
  if (identity !== undefined && tls !== undefined)
    throw new TypeError("createMesh: tls and identity exclude each other: the identity brings certificate, key and authorities");
  if (identity === undefined && (identityGraceMs !== undefined || identityMinVersion !== undefined))
    throw new TypeError("createMesh: identityGraceMs and identityMinVersion need an identity");
}

/** Fills in the defaults of the options of a whole mesh. */
export function settleMesh(options: MeshOptions): MeshSettings {
  const settings = wholeMeshOptions.settle(options);
  return { ...settings, observers: settings.observers ?? [openTelemetry()] };
}
