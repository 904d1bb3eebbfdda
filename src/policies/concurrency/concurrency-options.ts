import { checkInteger, refuseOption } from "../../core/settings/checks.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, integer, timerMs } from "../../core/settings/rules.ts";
import type { LimitAlgorithm } from "./limit-algorithm.ts";

/** Limits of the attempts in flight; `concurrency` in the options of the mesh. */
export interface ConcurrencyOptions {
  /**
   * Attempts of one service that this process may have in flight, their response bodies included: a number, or an algorithm that adapts it, such
   * as `gradient2()` or `aimd()`. @default 1024
   */
  readonly maxInFlight?: number | LimitAlgorithm;
  /** Attempts that one instance may have in flight. A full instance is not picked; while all are full, attempts wait. @default no limit */
  readonly maxInFlightPerInstance?: number;
  /** Attempts that may wait for a place; further ones are refused at once with `ERR_MESH_OVERLOADED`. @default 1024 */
  readonly maxQueued?: number;
  /** Time after which an attempt that waits is refused, in milliseconds. @default 1000 */
  readonly queueTimeoutMs?: number;
}

/** The rule of a limit of what is in flight, of attempts or of the requests that a server handles. */
export const maxInFlightRule: OptionRule<number | LimitAlgorithm> = custom<number | LimitAlgorithm>({
  type: "number | LimitAlgorithm",
  named: "limit",
  min: 1,
  isWhole: true,
  default: 1_024,
  range: "at least 1",
  check(option, value) {
    if (typeof value !== "object" || value === null) return checkInteger(option, value, 1);
    const { begin } = value as Partial<LimitAlgorithm>;
    if (typeof begin !== "function") refuseOption(`${option}.begin`, begin, "a function");
  },
});

/** The rules of {@link ConcurrencyOptions}. */
export const concurrencyOptions = optionTable<ConcurrencyOptions>()({
  maxInFlight: maxInFlightRule,
  maxInFlightPerInstance: integer({ min: 1, defaultText: "no limit" }),
  maxQueued: integer({ default: 1_024, min: 0 }),
  queueTimeoutMs: timerMs({ default: 1_000, min: 0 }),
});
