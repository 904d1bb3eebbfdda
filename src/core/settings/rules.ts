import { checkChoice, checkFlag, checkInteger, checkNumber, checkText, maxTimerMs } from "./checks.ts";
import type { OptionRule, Unit } from "./option-rule.ts";
import type { OptionRules, OptionTable } from "./option-table.ts";

/** The limits and the default of a number. */
export interface NumberLimits<Default> {
  readonly default?: Default;
  readonly defaultText?: string;
  readonly min: number;
  readonly max?: number;
  readonly unit?: Unit;
}

/** The rule of a number. */
export function number<Default extends number | undefined = undefined>(limits: NumberLimits<Default>): OptionRule<number | Default> {
  return numeric(limits, (option, value) => checkNumber(option, value, limits.min, limits.max));
}

/** The rule of a whole number. */
export function integer<Default extends number | undefined = undefined>(limits: NumberLimits<Default>): OptionRule<number | Default> {
  return { ...numeric(limits, (option, value) => checkInteger(option, value, limits.min, limits.max)), isWhole: true };
}

/** The rule of the delay of a timer, in milliseconds: at most {@link maxTimerMs}, since Node fires a timer with a longer one at once. */
export function timerMs<Default extends number | undefined = undefined>(
  limits: Omit<NumberLimits<Default>, "max" | "unit">,
): OptionRule<number | Default> {
  return number({ ...limits, max: maxTimerMs, unit: "ms" });
}

/** The rule of a share, 0 to 1. */
export function ratio<Default extends number | undefined = undefined>(fallback?: Default): OptionRule<number | Default> {
  return number({ default: fallback as Default, min: 0, max: 1 });
}

/** The rule of `true` or `false`. */
export function flag(fallback: boolean): OptionRule<boolean> {
  return { type: "true | false", default: fallback, check: checkFlag };
}

/** The rule of an option that is one of several words. */
export function choice<const Word extends string, Default extends Word | undefined = undefined>(
  words: readonly Word[],
  fallback?: Default,
  defaultText?: string,
): OptionRule<Word | Default> {
  return {
    type: words.map((word) => JSON.stringify(word)).join(" | "),
    default: fallback as Default,
    defaultText,
    check: (option, value) => checkChoice(option, value, words),
  };
}

/** The rule of text that is not empty. */
export function text(defaultText?: string): OptionRule<string | undefined> {
  return { type: "string", default: undefined, defaultText, check: checkText };
}

/** The rule of a value of another type; `check` is not called for `undefined`. */
export function custom<Value>(rule: Omit<OptionRule<Value>, "check"> & { check(option: string, value: unknown): void }): OptionRule<Value> {
  return {
    ...rule,
    check(option, value) {
      if (value !== undefined) rule.check(option, value);
    },
  };
}

/** The rule of a group: an object with the options of `table`. `alsoCheck` checks conditions on several of them. */
export function group<Options extends object, Rules extends OptionRules<Options>>(
  table: OptionTable<Options, Rules>,
  alsoCheck: (option: string, value: Options) => void = () => {},
): OptionRule<Options> {
  return {
    type: "object",
    default: {} as Options,
    table: table as OptionRule<Options>["table"],
    check(option, value) {
      if (value === undefined) return;
      table.check(option, value);
      alsoCheck(option, value as Options);
    },
  };
}

/**
 * The rule of a group whose options protect: that of a service stands over that of the mesh option by option, where other groups replace it. A service that says one
 * of them must not lose the others without a word. `over` is how the two are put together.
 */
export function protecting<Options extends object>(
  rule: OptionRule<Options>,
  over: (ofMesh: Options, ofService: Options) => Options = optionsOver,
): OptionRule<Options> {
  return { ...rule, over };
}

/** The options of two groups; of those in both, the second ones. `undefined` says nothing. */
export function optionsOver<Options extends object>(outer: Options, inner: Options): Options {
  return { ...outer, ...Object.fromEntries(Object.entries(inner).filter(([, value]) => value !== undefined)) };
}

/** The rule of an option of which a mesh that runs takes another value. */
export function atOnce<Value>(rule: OptionRule<Value>): OptionRule<Value> {
  return { ...rule, atOnce: true };
}

/** A rule that also allows `false`. */
export function orFalse<Value, Default extends Value | false = Value>(
  rule: OptionRule<Value>,
  fallback: Default = rule.default as Default,
): OptionRule<Value | false> {
  return {
    ...rule,
    type: `${rule.type} | false`,
    default: fallback,
    check(option, value) {
      if (value === false) return;
      // The opposite of `false` is no value of a group.
      if (value === true && rule.table !== undefined)
        throw new TypeError(`${option} must be an object with options, not true; {} stands for their defaults`);
      rule.check(option, value);
    },
  };
}

function numeric<Default extends number | undefined>(
  { default: fallback, defaultText, min, max, unit }: NumberLimits<Default>,
  check: OptionRule<unknown>["check"],
): OptionRule<number | Default> {
  return {
    type: "number",
    default: fallback as Default,
    defaultText,
    range: max === undefined || max === maxTimerMs ? `at least ${min}` : `${min} to ${max}`,
    unit,
    min,
    max: max === maxTimerMs ? undefined : max,
    check,
  };
}
