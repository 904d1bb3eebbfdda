import { optionTable } from "../core/settings/option-table.ts";
import { number, ratio } from "../core/settings/rules.ts";

/** When the breakers open and how they come back; `breaker` in the options of the mesh. */
export interface BreakerOptions {
  /** The service's breaker opens when more than this share of its calls in the last 10 s failed, 0–1. @default 0.5 */
  readonly failureRatio?: number;
  /** … of at least so many calls. @default 20 */
  readonly minCalls?: number;
  /** An instance is taken out after so many failures in a row; one is enough when no connection could be made. @default 5 */
  readonly consecutiveFailures?: number;
  /** First pause before a probe, in milliseconds; doubles with each probe that fails. Every pause is varied by ± 20 %. @default 1000 */
  readonly breakMs?: number;
  /** The longest pause of an instance before it is varied, in milliseconds. (A service's is 1000: while nobody answers, every second one call tries.) @default 30000 */
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
