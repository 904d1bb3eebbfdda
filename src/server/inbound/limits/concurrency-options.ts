import { optionTable, type Settled } from "../../../core/settings/option-table.ts";
import { integer, timerMs } from "../../../core/settings/rules.ts";
import { maxInFlightRule } from "../../../policies/concurrency/concurrency-options.ts";
import type { LimitAlgorithm } from "../../../policies/concurrency/limit-algorithm.ts";

/** The limit of the requests under way; `concurrency` in the options of `inbound`. */
export interface InboundConcurrencyOptions {
  /** Requests that this process handles at a time: a number, or an algorithm that adapts it, such as `gradient2()` or `aimd()`. @default 1024 */
  readonly maxInFlight?: number | LimitAlgorithm;
  /** Requests that may wait for a place, by priority; further ones are refused at once. @default 256 */
  readonly maxQueued?: number;
  /** Time after which a request that waits is refused, in milliseconds. @default 500 */
  readonly queueTimeoutMs?: number;
}

/** The rules of {@link InboundConcurrencyOptions}. */
export const inboundConcurrencyOptions = optionTable<InboundConcurrencyOptions>()({
  maxInFlight: maxInFlightRule,
  maxQueued: integer({ default: 256, min: 0 }),
  queueTimeoutMs: timerMs({ default: 500, min: 0 }),
});

/** {@link InboundConcurrencyOptions} with the defaults filled in. */
export type InboundConcurrencySettings = Settled<typeof inboundConcurrencyOptions.rules>;
