import { optionTable } from "../../core/settings/option-table.ts";
import { ratio, timerMs } from "../../core/settings/rules.ts";

/** A second attempt beside a slow one; `hedge` in the options of the mesh. */
export interface HedgeOptions {
  /**
   * The share of the calls that may be hedged, 0–1: a call is hedged once it takes longer than all but this share of the calls before it
   * (0.05: longer than the 95th percentile), and never more of them than this. @default 0.05
   */
  readonly maxExtraLoad?: number;
  /** The shortest wait before a hedge, in milliseconds. @default 1 */
  readonly minDelayMs?: number;
  /** Where the percentile is longer than this, nothing is hedged, in milliseconds. @default 2000 */
  readonly maxDelayMs?: number;
}

/** The rules of {@link HedgeOptions}. */
export const hedgeOptions = optionTable<HedgeOptions>()({
  maxExtraLoad: ratio(0.05),
  minDelayMs: timerMs({ default: 1, min: 0 }),
  maxDelayMs: timerMs({ default: 2_000, min: 0 }),
});
