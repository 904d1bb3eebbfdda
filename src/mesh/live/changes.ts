import { differingOptions } from "../../core/settings/differing-options.ts";
import { equalValues } from "../../core/settings/equal-values.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { type MeshOptions, wholeMeshOptions } from "../mesh-options.ts";
import { serviceTables, withOverrides } from "../service-options.ts";

/** The names of options by whether a mesh that runs takes other values of them. */
function namesBy(tables: readonly { readonly rules: object }[], isAtOnce: boolean): ReadonlySet<string> {
  const rules = tables.flatMap((table) => Object.entries(table.rules as Readonly<Record<string, OptionRule<unknown>>>));
  return new Set(rules.filter(([, rule]) => (rule.atOnce === true) === isAtOnce).map(([name]) => name));
}

const ofService = { atOnce: namesBy(serviceTables, true), restart: namesBy(serviceTables, false) };
const ofMesh = namesBy([wholeMeshOptions], true);

/** The names of the options that a mesh takes while it runs, for all of its services. */
export const atOnceNames: readonly string[] = [...ofMesh, ...ofService.atOnce];

/** Whether a mesh that runs takes another value of an option, by its name with the groups that it is in: `retry.maxAttempts`, `services.orders.picker`. */
export function isAtOnce(option: string): boolean {
  const [first = "", , third] = option.split(".");
  if (first === "services") return third === undefined || ofService.atOnce.has(third);
  return ofMesh.has(first) || ofService.atOnce.has(first);
}

/** The differences between two sets of options of a mesh. */
export interface OptionChanges {
  /** The names of the options that differ, with the groups that they are in. */
  readonly changed: readonly string[];
  /** Those of them for which a new mesh is needed. */
  readonly restart: readonly string[];
}

/** Compares two sets of options. An option of a service that is not watched yet can be any. */
export function changesBetween(before: MeshOptions, after: MeshOptions, isWatched: (service: string) => boolean): OptionChanges {
  const [{ services: formerOnes = {}, ...former }, { services: nextOnes = {}, ...next }] = [before, after];
  const all = differingOptions(former, next);
  const services = [...new Set([...Object.keys(formerOnes), ...Object.keys(nextOnes)])];
  const ofServices = services.flatMap((name) => differingOptions(formerOnes[name] ?? {}, nextOnes[name] ?? {}, `services.${name}.`));
  const restart = services.filter(isWatched).flatMap((name) => {
    const [one, other] = [withOverrides(former, formerOnes[name]), withOverrides(next, nextOnes[name])] as Readonly<
      Record<string, unknown>
    >[];
    const differs = (option: string) =>
      !equalValues(one?.[option], other?.[option]) && equalValues(optionOf(former, option), optionOf(next, option));
    return [...ofService.restart].filter(differs).map((option) => `services.${name}.${option}`);
  });
  return { changed: [...all, ...ofServices], restart: [...all.filter((option) => !isAtOnce(option)), ...restart] };
}

function optionOf(options: object, name: string): unknown {
  return (options as Readonly<Record<string, unknown>>)[name];
}
