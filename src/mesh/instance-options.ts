import { type BalancingOptions, balancingOptions } from "../balancer/balancing-options.ts";
import type { Picker } from "../balancer/picker.ts";
import { adaptive } from "../balancer/pickers/adaptive.ts";
import { type WireOptions, wireOptions } from "../core/connection-options.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { atOnce, custom, group, orFalse } from "../core/settings/rules.ts";
import { type ConcurrencyOption, concurrencyOption } from "../policies/concurrency/concurrency-limit.ts";
import { type BreakerOption, breakerOption } from "../policies/service-breaker.ts";
import { type EjectionOptions, ejectionOptions } from "../rotation/ejection/ejection-options.ts";
import { type HealthCheckOption, healthCheckOption } from "../rotation/health/health-check-options.ts";

/** Options of the choice of an instance for each attempt. */
export interface InstanceOptions {
  /** Picks the instance of each attempt among the candidates. @default adaptive() */
  readonly picker?: Picker;
  /** The instances that are candidates, for any picker. */
  readonly balancing?: BalancingOptions;
  /**
   * Takes instances out of rotation that do worse than the others, and limits the number of instances that are out. It works through the
   * breakers: `breaker: false` switches it off, too. `false` = the breaker of each instance judges it alone.
   */
  readonly ejection?: EjectionOptions | false;
}

/** The rules of {@link InstanceOptions}. */
export const instanceOptions = optionTable<InstanceOptions>()({
  picker: custom<Picker | undefined>({
    type: "Picker",
    named: "picker",
    atOnce: true,
    default: undefined,
    defaultText: "`adaptive()`",
    check(option, value) {
      if (typeof (value as Partial<Picker> | null)?.pick !== "function")
        throw new TypeError(`${option} must be a Picker, such as roundRobin(): it has no pick method`);
    },
  }),
  balancing: group(balancingOptions),
  ejection: atOnce(orFalse(group(ejectionOptions))),
});

/** All settings that concern the instances of a service. */
export type InstanceSettings = ReturnType<typeof settleInstances>;

/**
 * Fills in the defaults of the options that concern the instances of a service: their own, and those shared with layers of the pipeline.
 */
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
