import type { OptionRule } from "../core/settings/option-rule.ts";
import { type PartPath, readDocument } from "../documents/read-document.ts";
import { ConfigError } from "./config-error.ts";
import { dataDefault, isObject, optionRules, refuseUnknown, type Tables } from "./option-reader.ts";
import { type ConfigData, configKind, meshTables } from "./read-config.ts";
import { hasReference } from "./references.ts";
import { isHidden, isName } from "./secrets.ts";

/**
 * The configuration in `text` with the defaults filled in, references as they stand, and without secrets. Values are not checked, and nothing is made of
 * them; what only code can be and is not given is absent. Options of single services are those that stand there.
 * @throws ConfigError for what is no YAML, and for an option that there is not.
 */
export function effectiveConfig(text: string, source: string): ConfigData {
  const { value, placeOf } = readDocument(text, source, configKind);
  const refuse = (path: PartPath, problem: string, isKey = false): never => {
    throw new ConfigError(source, problem, placeOf(path, isKey));
  };
  if (!isObject(value)) return refuse([], "the configuration must be an object with options");
  return withDefaults([], value, meshTables, refuse);
}

type Refuse = (path: PartPath, problem: string, isKey?: boolean) => never;

function withDefaults(path: PartPath, given: ConfigData, tables: Tables, refuse: Refuse): ConfigData {
  const rules = optionRules(tables);
  for (const name of Object.keys(given)) if (!rules.has(name)) refuseUnknown(path, name, tables, refuse);
  const entries: [string, unknown][] = [];
  for (const [name, rule] of rules) {
    const value = name in given ? ofFile([...path, name], given[name], rule, refuse) : defaultOf([...path, name], rule, refuse);
    if (value !== undefined) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function ofFile(path: PartPath, value: unknown, { table, named }: OptionRule<unknown>, refuse: Refuse): unknown {
  if (named === "services" && isObject(value)) return masked(path, value);
  // What is no name of a source of endpoints, or of identities, may be the token of one.
  if ((named === "discovery" || named === "identity") && typeof value === "string" && !hasReference(value) && !isName(value))
    return "(secret)";
  return table !== undefined && isObject(value) ? withDefaults(path, value, [table], refuse) : masked(path, value);
}

function defaultOf(path: PartPath, rule: OptionRule<unknown>, refuse: Refuse): unknown {
  const { table } = rule;
  return table !== undefined && isObject(rule.default) ? withDefaults(path, {}, [table], refuse) : dataDefault(rule);
}

/** A value as it may be shown. */
function masked(path: PartPath, value: unknown): unknown {
  if (typeof value === "string") return isHidden(path, value) ? "(secret)" : value;
  if (Array.isArray(value)) return value.map((element, index) => masked([...path, index], element));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked([...path, name], each)]));
}
