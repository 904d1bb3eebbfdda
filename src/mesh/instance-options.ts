import { type BalancingOptions, balancingOptions } from "../balancer/balancing-options.ts";
import type { Picker } from "../balancer/picker.ts";
import { adaptive } from "../balancer/pickers/adaptive.ts";
import { type WireOptions, wireOptions } from "../core/connection-options.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { custom, group, orFalse } from "../core/settings/rules.ts";
import { type ConcurrencyOption, concurrencyOption } from "../policies/concurrency/concurrency-limit.ts";
import { type BreakerOption, breakerOption } from "../policies/service-breaker.ts";
import { type EjectionOptions, ejectionOptions } from "../rotation/ejection/ejection-options.ts";
import { type HealthCheckOption, healthCheckOption } from "../rotation/health/health-check-options.ts";

/** Which instance an attempt is given to, and which may be. */
export interface InstanceOptions {
  /** Chooses the instance of each attempt. @default adaptive() */
  readonly picker?: Picker;
  /** Which instances may be picked, whichever picker then chooses. */
  readonly balancing?: BalancingOptions;
  /**
   * Takes out instances that do worse than the others, and bounds how many may be out; it works through the breakers, so `breaker: false`
   * switches it off too. `false` = breakers judge each instance by itself.
   */
  readonly ejection?: EjectionOptions | false;
}

/** The rules of {@link InstanceOptions}. */
export const instanceOptions = optionTable<InstanceOptions>()({
  picker: custom<Picker | undefined>({
    type: "Picker",
    default: undefined,
    defaultText: "`adaptive()`",
    check(option, value) {
      if (typeof (value as Partial<Picker> | null)?.pick !== "function")
        throw new TypeError(`${option} must be a Picker, such as roundRobin(): it has no pick method`);
    },
  }),
  balancing: group(balancingOptions),
  ejection: orFalse(group(ejectionOptions)),
});

/** Everything that the instances of a service are kept by, with the defaults filled in. */
export type InstanceSettings = ReturnType<typeof settleInstances>;

/** The settings of one service's instances: their own options, and what they share with layers of the pipeline. */
export function settleInstances(given: InstanceOptions & BreakerOption & ConcurrencyOption & HealthCheckOption & WireOptions) {
  const { picker = adaptive(), ...settings } = instanceOptions.settle(given);
  return {
    picker,
    ...settings,
    ...breakerOption.settle(given),
    ...concurrencyOption.settle(given),
    ...healthCheckOption.settle(given),
    protocol: wireOptions.settle(given).protocol,
  };
}
