import type { OptionRule } from "../core/settings/option-rule.ts";
import { quoted } from "../core/text/clean-text.ts";
import type { FindPlace, PartPath } from "../documents/part-path.ts";
import { optionHint } from "../mesh/option-hint.ts";
import { ConfigError } from "./config-error.ts";
import type { ConfigNames } from "./config-names.ts";
import type { References } from "./references.ts";
import { isSecret } from "./secrets.ts";
import { after, inTurn, type Soon } from "./soon.ts";

/** Tables of options that stand side by side in one object. */
export type Tables = readonly { readonly rules: object }[];

/** Makes the value of an option that code makes, from what the file says of it. */
export type ReadNamed = (reader: OptionReader, path: PartPath, given: unknown) => Soon<unknown>;

/** The parts that an {@link OptionReader} reads with. */
export interface ReaderParts {
  readonly source: string;
  readonly placeOf: FindPlace;
  /** The whole that has been read. */
  readonly value: unknown;
  readonly references: References;
  readonly names: ConfigNames;
  /** How the options that code makes are read, by their kind. */
  readonly named: Readonly<Record<string, ReadNamed>>;
}

/** A check of a value that has been read. */
interface PendingCheck {
  readonly path: PartPath;
  readonly rule: OptionRule<unknown>;
  readonly value: unknown;
}

/** Reads options by their tables. Each fault is a {@link ConfigError} with the name of the option and its place. */
export class OptionReader {
  readonly references: References;
  readonly names: ConfigNames;
  readonly #source: string;
  readonly #placeOf: FindPlace;
  readonly #value: unknown;
  readonly #named: ReaderParts["named"];

  constructor({ source, placeOf, value, references, names, named }: ReaderParts) {
    this.references = references;
    this.names = names;
    this.#source = source;
    this.#placeOf = placeOf;
    this.#value = value;
    this.#named = named;
  }

  /** Refuses the part at `path`. */
  refuse(path: PartPath, problem: string, isKey = false): never {
    throw new ConfigError(this.#source, problem, this.#placeOf(path, isKey));
  }

  /** Runs what may throw; its message gets a place: that of the option which it names, where it names one. */
  async attempt<Result>(path: PartPath, run: () => Result | Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      return this.#refuseWith(path, error);
    }
  }

  /** The same for what does not wait. */
  #placed<Result>(path: PartPath, run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      return this.#refuseWith(path, error);
    }
  }

  #refuseWith(path: PartPath, error: unknown): never {
    if (error instanceof ConfigError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /has no option "([^"]+)"/.exec(message)?.[1];
    if (unknown !== undefined) return this.refuse([...path, unknown], message, true);
    const named = namedIn(message);
    return this.refuse([named, [...path, ...named]].find((each) => each.length > 0 && this.#has(each)) ?? path, message);
  }

  #has(path: PartPath): boolean {
    let part = this.#value;
    for (const name of path) {
      if (typeof part !== "object" || part === null || !Object.hasOwn(part, name)) return false;
      part = (part as Readonly<Record<string, unknown>>)[name];
    }
    return true;
  }

  /** An object with options of these tables. */
  options(path: PartPath, given: unknown, tables: Tables): Soon<Record<string, unknown>> {
    return this.#options(path, given, tables, undefined);
  }

  /** `pending`: where a whole around it is checked, the checks of its parts. */
  #options(path: PartPath, given: unknown, tables: Tables, pending: PendingCheck[] | undefined): Soon<Record<string, unknown>> {
    if (!isObject(given)) this.refuse(path, `${nameOf(path) || "the configuration"} must be an object with options, not ${kindOf(given)}`);
    const rules = optionRules(tables);
    const names = Object.keys(given);
    const read = inTurn(names.length, (index) => {
      const name = names[index] as string;
      const rule = rules.get(name);
      if (rule === undefined) return refuseUnknown(path, name, tables, (...problem) => this.refuse(...problem));
      return this.#valueOf([...path, name], rule, given[name], pending);
    });
    return after(read, (values) => namedValues(names, values));
  }

  /** A value of an option. The whole of it is checked at once; where that fails, its parts in their order, for the place of the fault. */
  #valueOf(path: PartPath, rule: OptionRule<unknown>, given: unknown, around?: PendingCheck[]): Soon<unknown> {
    if (given === null)
      this.refuse(
        path,
        `${nameOf(path)} has no value${rule.table === undefined ? "" : "; {} stands for the defaults of its options"}`,
        typeof path.at(-1) === "string",
      );
    const readNamed = rule.named === undefined ? undefined : this.#named[rule.named];
    const isOnlyNumber = rule.named === "limit" && typeof given === "number";
    const pending = around ?? [];
    const read = readNamed !== undefined && !isOnlyNumber ? readNamed(this, path, given) : this.#data(path, rule, given, pending);
    return after(read, (value) => {
      pending.push({ path, rule, value });
      if (around === undefined) this.#check(pending);
      return value;
    });
  }

  /** The last one is of the whole that the others are parts of. */
  #check(checks: readonly PendingCheck[]): void {
    try {
      const { path, rule, value } = checks.at(-1) as PendingCheck;
      rule.check(nameOf(path), value);
    } catch {
      for (const { path, rule, value } of checks) this.#placed(path.slice(0, -1), () => checkWithHint(rule, nameOf(path), value));
    }
  }

  /** A value that is data: a group, a list, an object of names, or a single one. */
  #data(path: PartPath, rule: OptionRule<unknown>, given: unknown, pending: PendingCheck[]): Soon<unknown> {
    const { table, items, values } = rule;
    if (items !== undefined && Array.isArray(given))
      return inTurn(given.length, (index) => this.#valueOf([...path, index], items, given[index], pending));
    if (table !== undefined && isObject(given)) return this.#options(path, given, tablesOf(table), pending);
    if (values === undefined || !isObject(given)) return this.#plain(path, rule, given);
    const names = Object.keys(given);
    const read = inTurn(names.length, (index) => {
      const name = names[index] as string;
      return this.#valueOf([...path, name], values, given[name], pending);
    });
    return after(read, (each) => namedValues(names, each));
  }

  #plain(path: PartPath, rule: OptionRule<unknown>, given: unknown): Soon<unknown> {
    if (typeof given !== "string") return this.raw(path, given);
    return after(this.text(path, given), ({ value, isReference }) =>
      isReference && typeof value === "string" ? converted(value, rule) : value,
    );
  }

  /** A value of any kind, with the references in its texts resolved. */
  raw(path: PartPath, given: unknown): Soon<unknown> {
    if (typeof given === "string") return after(this.text(path, given), ({ value }) => value);
    if (Array.isArray(given)) return inTurn(given.length, (index) => this.raw([...path, index], given[index]));
    if (!isObject(given)) return given;
    const names = Object.keys(given);
    const read = inTurn(names.length, (index) => this.raw([...path, names[index] as string], given[names[index] as string]));
    return after(read, (values) => namedValues(names, values));
  }

  /** A text, with the references in it resolved. A secret must be one. */
  text(path: PartPath, given: string): Soon<ResolvedText> {
    const resolved: Soon<ResolvedText> = given.includes("${")
      ? this.attempt(path, () => this.references.resolve(given))
      : { value: given, isReference: false };
    return after(resolved, (text) => {
      if (!text.isReference && isSecret(path, given))
        this.refuse(path, `${nameOf(path)} is a secret: it must be \${env:NAME} or \${file:PATH}, and not stand in the file`);
      return text;
    });
  }
}

interface ResolvedText {
  readonly value: unknown;
  readonly isReference: boolean;
}

/** An object of values by their names. Not by assignment, to which `__proto__` is no name. */
function namedValues(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

type RulesByName = ReadonlyMap<string, OptionRule<unknown>>;

const knownRules = new WeakMap<Tables, RulesByName>();
const knownTables = new WeakMap<Tables[number], Tables>();

/** The rules of several tables, by the names of the options. */
export function optionRules(tables: Tables): RulesByName {
  let rules = knownRules.get(tables);
  if (rules === undefined) {
    rules = new Map(tables.flatMap((table) => Object.entries<OptionRule<unknown>>(table.rules as never)));
    knownRules.set(tables, rules);
  }
  return rules;
}

/** A table alone: the same list each time, by which its rules are found. */
function tablesOf(table: Tables[number]): Tables {
  const tables = knownTables.get(table) ?? [table];
  knownTables.set(table, tables);
  return tables;
}

/** The default of an option as data; `undefined` where only code can make it, and where it depends on more than the option. */
export function dataDefault({ default: fallback, defaultText }: OptionRule<unknown>): unknown {
  const isData = ["number", "string", "boolean"].includes(typeof fallback) || Array.isArray(fallback);
  return isData && defaultText === undefined ? fallback : undefined;
}

/** Refuses an option that none of the tables has. */
export function refuseUnknown(path: PartPath, name: string, tables: Tables, refuse: OptionReader["refuse"]): never {
  const hint = optionHint(name, tables) ?? `it has ${[...optionRules(tables).keys()].join(", ")}`;
  return refuse([...path, name], `${nameOf(path) || "the configuration"} has no option ${quoted(name)}; ${hint}`, true);
}

/** `services.orders.retry` */
export function nameOf(path: PartPath): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}

/** The option that a message begins with: `retry.budget.ratio must be …`, `consul: tags[0] must be …`. */
function namedIn(message: string): PartPath {
  const name = /^(?:\w+: )?([\w.[\]-]+)/.exec(message)?.[1] ?? "";
  return name
    .split(/[.[\]]+/)
    .filter((part) => part !== "")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** The kind of a value, for messages: never the value, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value === "string" ? "text" : typeof value}`;
}

/** A number or a flag that came as text, from the environment or a file. */
function converted(text: string, { type }: OptionRule<unknown>): unknown {
  if (/\bnumber\b/.test(type) && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (/\b(?:true|false)\b/.test(type) && (text === "true" || text === "false")) return text === "true";
  return text;
}

function checkWithHint(rule: OptionRule<unknown>, name: string, value: unknown): void {
  try {
    rule.check(name, value);
  } catch (error) {
    const isCode = rule.named === undefined && /=>|^Clock$|Interceptor/.test(rule.type);
    if (!isCode || !(error instanceof Error)) throw error;
    throw new TypeError(`${error.message}; only code can make it: give it to fromFile as one of \`values\`, and write \${code:NAME}`);
  }
}
