import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { number, timerMs } from "../../../core/settings/rules.ts";

/** When requests are shed; `shedding` in the options of `inbound`. */
export interface SheddingOptions {
  /** Lag of the event loop from which on requests are shed, in milliseconds. @default 200 */
  readonly maxLagMs?: number;
  /** CPU as a share of what the container may use, from which on requests are shed, 0.1 to 10. @default not looked at */
  readonly maxCpu?: number;
}

/** The rules of {@link SheddingOptions}. */
export const sheddingOptions = optionTable<SheddingOptions>()({
  maxLagMs: timerMs({ default: 200, min: 10 }),
  maxCpu: number({ defaultText: "not looked at", min: 0.1, max: 10 }),
});

/** {@link SheddingOptions} with the defaults filled in. */
export type SheddingSettings = Settled<typeof sheddingOptions.rules>;
