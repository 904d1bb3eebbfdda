import type { CallOptions, CallPriority } from "../core/dispatch.ts";
import { refuseOption } from "../core/settings/checks.ts";
import type { OptionRule } from "../core/settings/option-rule.ts";
import { optionTable } from "../core/settings/option-table.ts";
import { choice, custom, flag, number, orFalse } from "../core/settings/rules.ts";

/** The rule of `true` or `false`, without which something else decides. */
function flagOr(defaultText: string): OptionRule<boolean | undefined> {
  return { ...flag(false), default: undefined, defaultText };
}

/** The rule of a text that may be empty. */
const anyText = custom<string | undefined>({
  type: "string",
  default: undefined,
  check(option, value) {
    if (typeof value !== "string") refuseOption(option, value, "a string");
  },
});

/** The rules of {@link CallOptions}, the options of `init.mesh`. */
export const callOptions = optionTable<CallOptions>()({
  timeoutMs: orFalse(number({ min: 1, unit: "ms", defaultText: "the service's" })),
  attemptTimeoutMs: orFalse(number({ min: 1, unit: "ms", defaultText: "the service's" })),
  idempotent: flagOr("by `retry.methods`"),
  retry: custom<false | undefined>({
    type: "false",
    default: undefined,
    defaultText: "the service's",
    check(option, value) {
      if (value !== false) refuseOption(option, value, "false or absent");
    },
  }),
  priority: choice<CallPriority, CallPriority>(["high", "normal", "low"], "normal"),
  hashKey: anyText,
  route: anyText,
  trace: flagOr("by `traceRatio`"),
});

/**
 * Checks `init.mesh` of one call.
 * @throws TypeError or RangeError naming the option and the value.
 */
export function checkCallOptions(options: CallOptions): void {
  callOptions.check("init.mesh", options);
}
