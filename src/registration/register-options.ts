import { checkKeys, checkObject, refuseOption } from "../core/settings/checks.ts";
import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { choice, custom, flag, number, timerMs } from "../core/settings/rules.ts";
import { type AdvertisedHost, checkAdvertisedHost } from "./advertised-host.ts";
import type { InstanceHealth } from "./health-watch.ts";
import { type Instance, type InstanceStatus, instanceStatuses, type Registrar } from "./registrar.ts";

/** Options of `mesh.register` beside the fields of the instance. */
export interface RegistrationOptions {
  /**
   * The address that others reach the instance at: a name or an address, `"auto"` for an address of this machine, or the interface or the family
   * that it is chosen from. @default the registry's own
   */
  readonly host?: string | AdvertisedHost;
  /** The registry, or several that all get the instance. @default the discovery adapter, where that is a registrar */
  readonly registrar?: Registrar | readonly Registrar[];
  /**
   * `true`: `register` resolves at once, and goes on in the background until the registry takes the instance. A registry that is down, or refuses,
   * ends nothing then. @default false
   */
  readonly keepTrying?: boolean;
  /** The status to begin with: an instance that is not `up` gets no requests until `setStatus("up")`. @default "up" */
  readonly initialStatus?: InstanceStatus;
  /**
   * Tells whether this process can take requests: `true`, `false` or a status, or a promise of one. It is asked before the instance is registered
   * and again and again from then on. A throw, a rejection, no answer in time and any other value count as `down`. @default none
   */
  readonly health?: InstanceHealth;
  /** Longest time that `health` may take, in milliseconds; its signal aborts then. @default 1000 */
  readonly healthTimeoutMs?: number;
  /**
   * Pause between an answer of `health` and the next question, in milliseconds. @default 5000, or 9/10 of the time between two renewals where that is
   * less
   */
  readonly healthIntervalMs?: number;
}

/** The argument of `mesh.register`: the instance, and how it is registered. */
export interface RegisterOptions extends Omit<Instance, keyof RegistrationOptions>, RegistrationOptions {}

/** The rules of {@link RegistrationOptions}. */
export const registrationOptions = optionTable<RegistrationOptions>()({
  host: custom<string | AdvertisedHost | undefined>({
    type: "string | object",
    default: undefined,
    defaultText: "the registry's own",
    check: checkAdvertisedHost,
  }),
  registrar: custom<Registrar | readonly Registrar[] | undefined>({
    type: "Registrar | Registrar[]",
    default: undefined,
    defaultText: "the discovery adapter, where that is a registrar",
    check(option, value) {
      const all: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (all.length === 0 || !all.every((each) => typeof (each as Partial<Registrar> | null)?.register === "function"))
        refuseOption(option, value, "a registrar, such as consul(), or an array of registrars");
      if (new Set(all).size < all.length) throw new TypeError(`${option} has the same registrar twice`);
    },
  }),
  keepTrying: flag(false),
  initialStatus: choice(instanceStatuses, "up"),
  health: custom<InstanceHealth | undefined>({
    type: "(signal) => boolean | InstanceStatus",
    default: undefined,
    defaultText: "none",
    check(option, value) {
      if (typeof value !== "function") refuseOption(option, value, "a function that answers true, false or a status");
    },
  }),
  healthTimeoutMs: timerMs({ default: 1_000, min: 1 }),
  healthIntervalMs: number({
    min: 10,
    max: 3_600_000,
    unit: "ms",
    defaultText: "5000, or 9/10 of the time between two renewals where that is less",
  }),
});

/** {@link RegistrationOptions} with the defaults filled in. */
export type RegistrationSettings = Settled<typeof registrationOptions.rules>;

const instanceFields: readonly Exclude<keyof Instance, keyof RegistrationOptions>[] = [
  "service",
  "port",
  "id",
  "secure",
  "weight",
  "zone",
  "tags",
  "metadata",
  "check",
];

/**
 * Checks what `mesh.register` is given, as far as no registry is needed for it.
 * @throws TypeError or RangeError naming the field or option and its value.
 */
export function checkRegisterOptions(given: RegisterOptions): void {
  if (typeof given !== "object" || given === null) throw new TypeError("register needs an instance: register({ service, port })");
  checkObject("register: the instance", given);
  checkKeys("register", given, [...instanceFields, ...registrationOptions.names]);
  registrationOptions.checkValues("register: ", given);
}
