import { optionTable } from "../../core/settings/option-table.ts";
import { ratio, timerMs } from "../../core/settings/rules.ts";

/** A second attempt beside a slow one; `hedge` in the options of the mesh. */
export interface HedgeOptions {
  /** The delay before a hedge: this quantile of the latencies of the last half minute, 0–1. @default 0.95 */
  readonly percentile?: number;
  /** The shortest delay before a hedge, in milliseconds. @default 1 */
  readonly minDelayMs?: number;
  /** The longest delay before a hedge, in milliseconds; nothing is hedged while the quantile is longer. @default 2000 */
  readonly maxDelayMs?: number;
  /** The budget of hedges: the share of calls that may be hedged, 0–1. @default 0.05 */
  readonly maxExtraLoad?: number;
}

/** The rules of {@link HedgeOptions}. */
export const hedgeOptions = optionTable<HedgeOptions>()({
  percentile: ratio(0.95),
  minDelayMs: timerMs({ default: 1, min: 0 }),
  maxDelayMs: timerMs({ default: 2_000, min: 0 }),
  maxExtraLoad: ratio(0.05),
});
