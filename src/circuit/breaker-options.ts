import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { number, ratio } from "../core/settings/rules.ts";

/** Circuit breakers of a service and of its instances: when they open and how they come back; `breaker` in the options of the mesh. */
export interface BreakerOptions {
  /** A breaker opens when more than this share of its outcomes in the last 10 s are failures, 0–1. @default 0.5 */
  readonly failureRatio?: number;
  /** The fewest outcomes in the last 10 s that `failureRatio` judges. @default 20 */
  readonly minCalls?: number;
  /** The breaker of an instance also opens after this many failures in a row; after one when no connection could be made. @default 5 */
  readonly consecutiveFailures?: number;
  /** First pause before a probe, in milliseconds; each failed probe doubles it. All pauses are varied by ± 20 %. @default 1000 */
  readonly breakMs?: number;
  /**
   * The longest pause of an instance's breaker before it is varied, in milliseconds. That of a service's breaker is always one second, so that
   * one call a second tries. @default 30000
   */
  readonly maxBreakMs?: number;
}

/** The rules of {@link BreakerOptions}. */
export const breakerOptions = optionTable<BreakerOptions>()({
  failureRatio: ratio(0.5),
  minCalls: number({ default: 20, min: 1 }),
  consecutiveFailures: number({ default: 5, min: 1 }),
  breakMs: number({ default: 1_000, min: 1, unit: "ms" }),
  maxBreakMs: number({ default: 30_000, min: 1, unit: "ms" }),
});

/** {@link BreakerOptions} with the defaults filled in. */
export type BreakerSettings = Settled<typeof breakerOptions.rules>;
