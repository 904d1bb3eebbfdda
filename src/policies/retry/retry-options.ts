import { optionTable } from "../../core/settings/option-table.ts";
import { choice, flag, group, integer, number } from "../../core/settings/rules.ts";
import { type RetryBudgetOptions, retryBudgetOptions } from "./retry-budget.ts";

/** How failed attempts are repeated; `retry` in the options of the mesh. */
export interface RetryOptions {
  /** Attempts in all, the first included. @default 3 */
  readonly maxAttempts?: number;
  /**
   * The methods that may be executed twice: `safe` (GET, HEAD, OPTIONS, TRACE, QUERY) or `idempotent` (PUT and DELETE too; RFC 9110
   * §9.2.2). @default "safe"
   */
  readonly methods?: "safe" | "idempotent";
  /**
   * The service executes requests with the same `Idempotency-Key` once (draft-ietf-httpapi-idempotency-key-header): what carries one may be
   * sent again, whatever its method. @default false
   */
  readonly idempotencyKeys?: boolean;
  /** The pause before a retry is a random part of this, in milliseconds, doubled with each retry (full jitter). @default 25 */
  readonly baseDelayMs?: number;
  /** The longest such pause, in milliseconds. @default 250 */
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
