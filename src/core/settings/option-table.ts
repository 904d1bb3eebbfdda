import { checkKeys, checkObject } from "./checks.ts";
import type { OptionRule } from "./option-rule.ts";

/** The rules of all options in `Options`. */
export type OptionRules<Options extends object> = { readonly [Name in keyof Options]-?: OptionRule<Options[Name]> };

/** Options with the defaults of a table filled in. */
export type Settled<Rules> = { readonly [Name in keyof Rules]: Rules[Name] extends OptionRule<infer Value> ? Value : never };

/**
 * The options of one part of the mesh: the only place with their defaults, ranges and units, from which checks, settings and the page of all
 * options come. The description of an option is the comment of its property in the interface beside the table.
 */
export class OptionTable<Options extends object, Rules extends OptionRules<Options> = OptionRules<Options>> {
  readonly rules: Rules;
  /** The names of the options. */
  readonly names: readonly string[];
  /** Made once, since the options of a call are checked at each call. */
  readonly #entries: readonly (readonly [name: string, rule: OptionRule<unknown>])[];

  constructor(rules: Rules) {
    this.rules = rules;
    this.names = Object.keys(rules);
    this.#entries = Object.entries<OptionRule<unknown>>(rules);
  }

  /**
   * Checks an object that has these options and no others. `where` is the name of the object in errors.
   * @throws TypeError or RangeError naming the option and the value.
   */
  check(where: string, given: unknown): void {
    if (given === undefined) return;
    checkObject(where, given);
    checkKeys(where, given as object, this.names);
    this.checkValues(`${where}.`, given as object);
  }

  /**
   * Checks these options in an object that may have others. `prefix` precedes their names in errors.
   * @throws TypeError or RangeError naming the option and the value.
   */
  checkValues(prefix: string, given: object): void {
    for (const [name, rule] of this.#entries) rule.check(`${prefix}${name}`, (given as Record<string, unknown>)[name]);
  }

  /** The values of these options, with the default where one is absent or `undefined`. Other properties of `given` are left out. */
  settle(given: Options): Settled<Rules> {
    const settled: Record<string, unknown> = {};
    for (const [name, rule] of this.#entries) {
      const value = (given as Record<string, unknown>)[name];
      settled[name] = value === undefined ? rule.default : value;
    }
    return settled as Settled<Rules>;
  }
}

/** Makes a table with a rule for each option: `optionTable<RetryOptions>()({ maxAttempts: integer({ default: 3, min: 1 }), … })`. */
export function optionTable<Options extends object>(): <Rules extends OptionRules<Options>>(rules: Rules) => OptionTable<Options, Rules> {
  return (rules) => new OptionTable(rules);
}
