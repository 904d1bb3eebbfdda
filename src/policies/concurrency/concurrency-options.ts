import { checkInteger, refuseOption } from "../../core/options.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, integer, timerMs } from "../../core/settings/rules.ts";
import type { LimitAlgorithm } from "./limit-algorithm.ts";

/** How many attempts may be in flight; `concurrency` in the options of the mesh. */
export interface ConcurrencyOptions {
  /**
   * Attempts of one service that may be in flight in this process, their bodies included: a number, or an algorithm that finds it:
   * `gradient2()`, `aimd()`. @default 1024
   */
  readonly maxInFlight?: number | LimitAlgorithm;
  /** Attempts of one instance. One that has so many is passed over; while all have, further attempts wait. @default no limit */
  readonly maxInFlightPerInstance?: number;
  /** Attempts that may wait for a place; further ones are refused at once. @default 1024 */
  readonly maxQueued?: number;
  /** How long an attempt may wait, in milliseconds. @default 1000 */
  readonly queueTimeoutMs?: number;
}

/** The rules of {@link ConcurrencyOptions}. */
export const concurrencyOptions = optionTable<ConcurrencyOptions>()({
  maxInFlight: custom<number | LimitAlgorithm>({
    type: "number | LimitAlgorithm",
    default: 1_024,
    range: "at least 1",
    check(option, value) {
      if (typeof value !== "object" || value === null) return checkInteger(option, value, 1);
      const { begin } = value as Partial<LimitAlgorithm>;
      if (typeof begin !== "function") refuseOption(`${option}.begin`, begin, "a function");
    },
  }),
  maxInFlightPerInstance: integer({ min: 1, defaultText: "no limit" }),
  maxQueued: integer({ default: 1_024, min: 0 }),
  queueTimeoutMs: timerMs({ default: 1_000, min: 0 }),
});
