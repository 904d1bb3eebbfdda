import { optionTable } from "../../core/settings/option-table.ts";
import { ratio, timerMs } from "../../core/settings/rules.ts";

/** A second attempt beside a slow one; `hedge` in the options of the mesh. */
export interface HedgeOptions {
  /** The delay before a hedge, as a percentile of the latencies of the calls before, 0–1. @default 0.95 */
  readonly percentile?: number;
  /** The shortest wait before a hedge, in milliseconds. @default 1 */
  readonly minDelayMs?: number;
  /** The longest wait before a hedge, in milliseconds; while the percentile is longer, nothing is hedged. @default 2000 */
  readonly maxDelayMs?: number;
  /** The budget of hedges: the share of the calls that may be hedged, 0–1. @default 0.05 */
  readonly maxExtraLoad?: number;
}

/** The rules of {@link HedgeOptions}. */
export const hedgeOptions = optionTable<HedgeOptions>()({
  percentile: ratio(0.95),
  minDelayMs: timerMs({ default: 1, min: 0 }),
  maxDelayMs: timerMs({ default: 2_000, min: 0 }),
  maxExtraLoad: ratio(0.05),
});
