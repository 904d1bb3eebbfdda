import { refuseOption } from "../../core/settings/checks.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { custom } from "../../core/settings/rules.ts";

/** The rule of a path that is answered here, or `false`. */
export function pathRule(fallback: string): OptionRule<string | false> {
  return custom<string | false>({
    type: "string | false",
    default: fallback,
    check(option, value) {
      if (value !== false && !(typeof value === "string" && /^\/(?!\/)[!-~]*$/.test(value) && !/[?#]/.test(value)))
        refuseOption(option, value, "a path that begins with one slash and has no query, or false");
    },
  });
}
