import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, flag, group, integer, number } from "../../core/settings/rules.ts";
import { type RetryBudgetOptions, retryBudgetOptions } from "./retry-budget.ts";

/**
 * A way in which an attempt fails: no connection was made, an HTTP/2 stream was refused, the connection was lost or its answer is not HTTP, the time of the
 * attempt is over, or the status of an answer, of which `5xx` stands for all from 500 on.
 */
export type RetryCondition = "connect" | "refused" | "reset" | "timeout" | "5xx" | number;

/** Retries of attempts that failed; `retry` in the options of the mesh. */
export interface RetryOptions {
  /** Attempts of one call at most, the first included, 1 to 100. @default 3 */
  readonly maxAttempts?: number;
  /**
   * The methods that may be executed twice: `safe` (GET, HEAD, OPTIONS, TRACE, QUERY), `idempotent` (PUT and DELETE too; RFC 9110
   * §9.2.2), or a list of methods. @default "safe"
   */
  readonly methods?: "safe" | "idempotent" | readonly string[];
  /**
   * The failures after which another attempt may be made, in place of the usual ones: `["connect", "timeout", 503]`. Whether the request may be sent again
   * is decided as ever. @default every failure in which another attempt may help
   */
  readonly on?: readonly RetryCondition[];
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
  /** Whether the pause before the next attempt is as long as the `Retry-After` of an answer asks for. @default true */
  readonly heedRetryAfter?: boolean;
  /** Time after the beginning of the first attempt up to which another one may begin, in milliseconds. @default no limit */
  readonly withinMs?: number;
  /** Bounds the retries to a share of the requests. */
  readonly budget?: RetryBudgetOptions;
}

/** The rules of {@link RetryOptions}. */
export const retryOptions = optionTable<RetryOptions>()({
  maxAttempts: integer({ default: 3, min: 1, max: 100 }),
  methods: custom<"safe" | "idempotent" | readonly string[]>({
    type: '"safe" | "idempotent" | string[]',
    default: "safe",
    check(option, value) {
      const isList = Array.isArray(value) && value.every((method) => typeof method === "string" && method !== "");
      if (value !== "safe" && value !== "idempotent" && !isList) refuseOption(option, value, '"safe", "idempotent" or an array of methods');
    },
  }),
  on: custom<readonly RetryCondition[] | undefined>({
    type: '("connect" | "refused" | "reset" | "timeout" | "5xx" | number)[]',
    default: undefined,
    defaultText: "every failure in which another attempt may help",
    check(option, value) {
      if (!(Array.isArray(value) && value.every(isCondition)))
        refuseOption(option, value, 'an array of "connect", "refused", "reset", "timeout", "5xx" and statuses from 400 to 599');
    },
  }),
  idempotencyKeys: flag(false),
  baseDelayMs: number({ default: 25, min: 0, unit: "ms" }),
  maxDelayMs: number({ default: 250, min: 0, unit: "ms" }),
  heedRetryAfter: flag(true),
  withinMs: number({ min: 0, unit: "ms", defaultText: "no limit" }),
  budget: group(retryBudgetOptions),
});

function isCondition(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 400 && value <= 599;
  return typeof value === "string" && ["connect", "refused", "reset", "timeout", "5xx"].includes(value);
}
