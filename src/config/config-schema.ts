import type { NamedKind, OptionRule } from "../core/settings/option-rule.ts";
import { discoveryNames } from "./named/discoveries.ts";
import { hashKeyNames } from "./named/hash-keys.ts";
import { identityNames } from "./named/identities.ts";
import { limitNames } from "./named/limits.ts";
import { observerNames } from "./named/observers.ts";
import { pickers } from "./named/pickers.ts";
import { dataDefault, optionRules, type Tables } from "./option-reader.ts";

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

/** Describes an option by its path, such as `["retry", "maxAttempts"]`; `undefined` where nothing is known. */
export type Describe = (path: readonly string[]) => string | undefined;

const referenceSchema: Schema = { type: "string", pattern: "\\$\\{(env|file|code):" };
const codeSchema: Schema = { type: "string", pattern: "^\\$\\{code:.+\\}$" };

/** The JSON Schema (draft 07) of a configuration, from the tables that check its options. */
export function configSchema(meshTables: Tables, serviceTables: Tables, describe: Describe): Schema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of a mesh of inmesh",
    ...objectSchema([], meshTables, describe),
    required: ["discovery"],
    definitions: {
      discovery: namedSchema(discoveryNames),
      identity: namedSchema(identityNames),
      limit: namedSchema(limitNames),
      hashKey: namedSchema(hashKeyNames),
      observers: { type: "array", items: namedSchema(observerNames) },
      picker: namedSchema(
        Object.keys(pickers),
        Object.fromEntries(Object.entries(pickers).map(([name, { table }]) => [name, objectSchema([], [table], () => undefined)])),
      ),
      services: { type: "object", additionalProperties: objectSchema([], serviceTables, describe) },
    },
  };
}

function objectSchema(path: readonly string[], tables: Tables, describe: Describe): Schema {
  const properties = [...optionRules(tables)].map(([name, rule]) => [name, optionSchema([...path, name], rule, describe)]);
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function optionSchema(path: readonly string[], rule: OptionRule<unknown>, describe: Describe): Schema {
  const description = describe(path);
  const fallback = dataDefault(rule);
  return {
    ...(description === undefined || description === "" ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...anyOf(alternativesOf(path, rule, describe)),
  };
}

function alternativesOf(path: readonly string[], rule: OptionRule<unknown>, describe: Describe): readonly Schema[] {
  const { named, table, type } = rule;
  if (named === "limit") return [numberSchema(rule), refTo(named)];
  if (named !== undefined) return [refTo(named)];
  const words = /^\(("[^()]*")\)\[\]$/.exec(type)?.[1];
  if (words !== undefined) return [{ type: "array", items: { enum: words.split(" | ").map((word) => JSON.parse(word) as unknown) } }];
  if (type.includes("=>") || type === "Clock") return [codeSchema];
  if (type === "Interceptor[]") return [{ type: "array", items: codeSchema }];
  const alternatives = kindsOf(type).map((each) => {
    if (each.endsWith("[]") && rule.items !== undefined) return { type: "array", items: anyOf(alternativesOf(path, rule.items, describe)) };
    if (each === "number[]") return { type: "array", items: { type: "number" } };
    if (each === "RouteSource") return codeSchema;
    if (each === "number") return numberSchema(rule);
    if (each === "true" || each === "false") return { const: each === "true" };
    if (each.startsWith('"')) return { const: JSON.parse(each) as unknown };
    if (each === "string" || each === "PEM") return { type: "string" };
    if (each === "string[]") return { type: "array", items: { type: "string" } };
    if (/^\d+$/.test(each)) return { const: Number(each) };
    if (each === "object" && rule.values !== undefined)
      return { type: "object", additionalProperties: optionSchema(path, rule.values, () => undefined) };
    if (each === "object") return table === undefined ? { type: "object" } : objectSchema(path, [table], describe);
    return {};
  });
  return alternatives.some((each) => Object.keys(each).length === 0) ? [{}] : [...alternatives, referenceSchema];
}

/** The alternatives of a type: bars within parentheses belong to one of them. */
function kindsOf(type: string): readonly string[] {
  return type.split(/ \| (?![^()]*\))/);
}

function numberSchema({ min, max, isWhole = false }: OptionRule<unknown>): Schema {
  return {
    type: isWhole ? "integer" : "number",
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
  };
}

/** One of these names, with options of its own, or a name that the program gives. */
function namedSchema(names: readonly string[], options: Readonly<Record<string, Schema>> = {}): Schema {
  const properties = Object.fromEntries(names.map((name) => [name, anyOf([options[name] ?? {}, { type: "null" }])]));
  return anyOf([{ enum: names }, { type: "string", minLength: 1 }, { type: "object", properties, minProperties: 1, maxProperties: 1 }]);
}

function refTo(kind: NamedKind): Schema {
  return { $ref: `#/definitions/${kind}` };
}

function anyOf(alternatives: readonly Schema[]): Schema {
  if (alternatives.some((each) => Object.keys(each).length === 0)) return {};
  const [only] = alternatives;
  return alternatives.length === 1 && only !== undefined ? only : { anyOf: alternatives };
}
