import { checkObject, refuseOption } from "./checks.ts";
import type { OptionRule } from "./option-rule.ts";
import type { OptionRules, OptionTable } from "./option-table.ts";
import { group } from "./rules.ts";

/** A rule whose value may be absent. */
export type MayBeAbsent<Value> = OptionRule<Value | undefined>;

/** The rule of a group that is a part of a larger whole, and is absent by default. */
export function part<Options extends object, Rules extends OptionRules<Options>>(
  table: OptionTable<Options, Rules>,
  alsoCheck?: (option: string, value: Options) => void,
): MayBeAbsent<Options> {
  return { ...group(table, alsoCheck), default: undefined, defaultText: "none" };
}

/** The rule of a list. */
export function list<Value>(item: OptionRule<Value | undefined>, least = 1): MayBeAbsent<readonly Value[]> {
  return {
    type: item.type.includes(" | ") ? `(${item.type})[]` : `${item.type}[]`,
    default: undefined,
    items: item,
    check(option, value) {
      if (value === undefined) return;
      if (!Array.isArray(value)) refuseOption(option, value, "a list");
      if (value.length < least)
        throw new TypeError(
          `${option} ${value.length === 0 ? "is empty" : `has only ${value.length}`}: it needs ${least === 1 ? "one" : least} at least`,
        );
      checkEach(option, value, item);
    },
  };
}

/** The rule of a value, or a list of such. */
export function oneOrMore<Value>(item: OptionRule<Value | undefined>): MayBeAbsent<Value | readonly Value[]> {
  const many = list(item);
  return {
    ...item,
    type: `${item.type} | ${many.type}`,
    items: item,
    check: (option, value) => (Array.isArray(value) ? many : item).check(option, value),
  };
}

/** The rule of an object whose keys are names of others, such as headers. `checkName` throws for a name that is wrong. */
export function named<Value>(
  value: OptionRule<Value | undefined>,
  checkName: (option: string, name: string) => void = () => {},
): MayBeAbsent<Readonly<Record<string, Value>>> {
  return {
    type: "object",
    default: undefined,
    values: value,
    check(option, given) {
      if (given === undefined) return;
      checkObject(option, given);
      for (const [name, each] of Object.entries(given as object)) {
        checkName(option, name);
        if (each === undefined || each === null) refuseOption(`${option}.${name}`, each, "a value");
        value.check(`${option}.${name}`, each);
      }
    },
  };
}

/** The rule of a text, or of a group in its place. */
export function textOr<Options extends object>(
  rule: MayBeAbsent<Options>,
  checkText: (option: string, text: string) => void = () => {},
): MayBeAbsent<string | Options> {
  return {
    ...rule,
    type: `string | ${rule.type}`,
    check(option, value) {
      if (typeof value === "string") checkText(option, value);
      else rule.check(option, value);
    },
  };
}

function checkEach(option: string, values: readonly unknown[], item: OptionRule<unknown>): void {
  for (const [index, each] of values.entries()) {
    if (each === undefined || each === null) refuseOption(`${option}[${index}]`, each, "a value");
    item.check(`${option}[${index}]`, each);
  }
}
