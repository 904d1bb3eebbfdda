import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { group, integer, number, orFalse, timerMs } from "../../core/settings/rules.ts";

/** Rules that compare the instances of a service, and the share of them that may be out; `ejection` in the options. */
export interface EjectionOptions {
  /** Length of a sweep, which judges the outcomes of that time, in milliseconds; there are sweeps only while something fails. @default 10000 */
  readonly intervalMs?: number;
  /** Duration of the first ejection, in milliseconds, ± 20 %; each further one lasts twice as long as the last. @default 30000 */
  readonly baseEjectionMs?: number;
  /** The longest ejection before it is varied, in milliseconds. @default 300000 */
  readonly maxEjectionMs?: number;
  /**
   * The share of the reachable instances, in percent, that rules which may blame the wrong instance may take out. Of two or more instances
   * one always may be out. @default 50
   */
  readonly maxEjectionPercent?: number;
  /** Ejects instances whose success rate is far below the mean; `false` switches the rule off. */
  readonly successRate?: SuccessRateOptions | false;
  /** Ejects instances that fail nearly always; `false` switches the rule off. */
  readonly failurePercentage?: FailurePercentageOptions | false;
}

/** The success-rate rule of Envoy and gRPC (gRFC A50): an instance is ejected if its success rate is far below the mean. */
export interface SuccessRateOptions {
  /** The number of standard deviations below the mean from which an instance is ejected. @default 1.9 */
  readonly deviations?: number;
  /** Instances with fewer outcomes in the sweep are not judged. @default 100 */
  readonly minCalls?: number;
  /** With fewer instances to judge, none is: of four numbers none is 1.9 deviations below their mean. @default 5 */
  readonly minInstances?: number;
}

/** The failure-percentage rule of Envoy and gRPC (gRFC A50), with a comparison where they ask for five instances. */
export interface FailurePercentageOptions {
  /** An instance is ejected from this percentage of failures on, if the others together fail less than half as often. @default 85 */
  readonly threshold?: number;
  /** Instances with fewer outcomes in the sweep are not judged. @default 50 */
  readonly minCalls?: number;
  /** With fewer instances to judge, none is. @default 2 */
  readonly minInstances?: number;
}

/** The rules of {@link SuccessRateOptions}. */
export const successRateOptions = optionTable<SuccessRateOptions>()({
  deviations: number({ default: 1.9, min: 0 }),
  minCalls: integer({ default: 100, min: 1 }),
  minInstances: integer({ default: 5, min: 2 }),
});

/** The rules of {@link FailurePercentageOptions}. */
export const failurePercentageOptions = optionTable<FailurePercentageOptions>()({
  threshold: number({ default: 85, min: 1, max: 100, unit: "%" }),
  minCalls: integer({ default: 50, min: 1 }),
  minInstances: integer({ default: 2, min: 2 }),
});

/** The rules of {@link EjectionOptions}. */
export const ejectionOptions = optionTable<EjectionOptions>()({
  intervalMs: timerMs({ default: 10_000, min: 1 }),
  baseEjectionMs: number({ default: 30_000, min: 1, unit: "ms" }),
  maxEjectionMs: number({ default: 300_000, min: 1, unit: "ms" }),
  maxEjectionPercent: number({ default: 50, min: 1, max: 100, unit: "%" }),
  successRate: orFalse(group(successRateOptions)),
  failurePercentage: orFalse(group(failurePercentageOptions)),
});

/** {@link EjectionOptions} with the defaults filled in. */
export type EjectionSettings = Settled<typeof ejectionOptions.rules>;
