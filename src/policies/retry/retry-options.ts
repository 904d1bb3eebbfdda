import { optionTable } from "../../core/settings/option-table.ts";
import { choice, flag, group, integer, number } from "../../core/settings/rules.ts";
import { type RetryBudgetOptions, retryBudgetOptions } from "./retry-budget.ts";

/** Retries of attempts that failed; `retry` in the options of the mesh. */
export interface RetryOptions {
  /** Attempts of one call at most, the first included, 1 to 100. @default 3 */
  readonly maxAttempts?: number;
  /**
   * The methods that may be executed twice: `safe` (GET, HEAD, OPTIONS, TRACE, QUERY) or `idempotent` (PUT and DELETE too; RFC 9110
   * §9.2.2). @default "safe"
   */
  readonly methods?: "safe" | "idempotent";
  /**
   * Whether the service executes requests with the same `Idempotency-Key` once (draft-ietf-httpapi-idempotency-key-header): requests with
   * this header are sent again, whatever their method. @default false
   */
  readonly idempotencyKeys?: boolean;
  /**
   * Bound of the pause before the first retry, in milliseconds; it doubles with each retry. The pause is a random part of it (full jitter).
   * @default 25
   */
  readonly baseDelayMs?: number;
  /** The highest bound, in milliseconds. A `Retry-After` of the instance may ask for a longer pause. @default 250 */
  readonly maxDelayMs?: number;
  /** Bounds the retries to a share of the requests. */
  readonly budget?: RetryBudgetOptions;
}

/** The rules of {@link RetryOptions}. */
export const retryOptions = optionTable<RetryOptions>()({
  maxAttempts: integer({ default: 3, min: 1, max: 100 }),
  methods: choice(["safe", "idempotent"], "safe"),
  idempotencyKeys: flag(false),
  baseDelayMs: number({ default: 25, min: 0, unit: "ms" }),
  maxDelayMs: number({ default: 250, min: 0, unit: "ms" }),
  budget: group(retryBudgetOptions),
});
