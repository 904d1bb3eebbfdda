import { type Clock, systemClock } from "../clock.ts";
import { refuseOption } from "./checks.ts";
import type { OptionRule } from "./option-rule.ts";
import { custom } from "./rules.ts";

/** The rule of a source of time. */
export const clockRule: OptionRule<Clock> = custom<Clock>({
  type: "Clock",
  default: systemClock,
  defaultText: "the process's own clock",
  check(option, value) {
    const clock = value as Partial<Clock> | null;
    if (typeof clock?.now !== "function" || typeof clock.setTimer !== "function") refuseOption(option, value, "a Clock");
  },
});
