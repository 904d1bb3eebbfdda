import { checkKeys, checkObject } from "../options.ts";
import type { OptionRule } from "./option-rule.ts";

/** A rule for each option of `Options`. */
export type OptionRules<Options extends object> = { readonly [Name in keyof Options]-?: OptionRule<Options[Name]> };

/** Options with every default filled in, as the rules of a table have it. */
export type Settled<Rules> = { readonly [Name in keyof Rules]: Rules[Name] extends OptionRule<infer Value> ? Value : never };

/**
 * The options of one part of the mesh: the one place that knows their defaults, ranges and units. Checks, settings, the page of all
 * options and configuration files come from it; the sentence of each option is the comment of its property in the interface beside it.
 */
export class OptionTable<Options extends object, Rules extends OptionRules<Options> = OptionRules<Options>> {
  readonly rules: Rules;
  /** The names of the options. */
  readonly names: readonly string[];
  /** Made once: the options of a call are checked at each call. */
  readonly #entries: readonly (readonly [name: string, rule: OptionRule<unknown>])[];

  constructor(rules: Rules) {
    this.rules = rules;
    this.names = Object.keys(rules);
    this.#entries = Object.entries<OptionRule<unknown>>(rules);
  }

  /**
   * Checks an object that may have these options and no others. `where` is how an error names the object.
   * @throws TypeError or RangeError naming the option and the value.
   */
  check(where: string, given: unknown): void {
    if (given === undefined) return;
    checkObject(where, given);
    checkKeys(where, given as object, this.names);
    this.checkValues(`${where}.`, given as object);
  }

  /**
   * Checks the values of these options in an object that may have others, too. `prefix` stands before their names in errors.
   * @throws TypeError or RangeError naming the option and the value.
   */
  checkValues(prefix: string, given: object): void {
    for (const [name, rule] of this.#entries) rule.check(`${prefix}${name}`, (given as Record<string, unknown>)[name]);
  }

  /** These options, with the default where one is absent or `undefined`. Whatever else `given` has is left out. */
  settle(given: Options): Settled<Rules> {
    const settled: Record<string, unknown> = {};
    for (const [name, rule] of this.#entries) {
      const value = (given as Record<string, unknown>)[name];
      settled[name] = value === undefined ? rule.default : value;
    }
    return settled as Settled<Rules>;
  }
}

/** Makes a table: `optionTable<RetryOptions>()({ maxAttempts: integer({ default: 3, min: 1 }), … })`; the compiler wants a rule for each option. */
export function optionTable<Options extends object>(): <Rules extends OptionRules<Options>>(rules: Rules) => OptionTable<Options, Rules> {
  return (rules) => new OptionTable(rules);
}
