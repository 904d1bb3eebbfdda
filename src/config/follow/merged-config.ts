import { equalValues, isPlain } from "../../core/settings/equal-values.ts";
import { isAtOnce } from "../../mesh/live/changes.ts";
import type { MeshOptions } from "../../mesh/mesh-options.ts";
import { compareConfigs } from "../compare-config.ts";
import type { ReadConfig } from "../read-config.ts";

type Values = Readonly<Record<string, unknown>>;

/** A configuration in force, as data and as what was made of it. */
export interface ConfigInForce {
  readonly data: Values;
  readonly files: ReadonlyMap<string, string>;
}

/** The next one: what a mesh that runs takes of a file, and what it does not. */
export interface MergedConfig {
  readonly options: Partial<MeshOptions>;
  readonly inForce: ConfigInForce;
  /** The names of the options that differ and that only a new mesh takes. */
  readonly restart: readonly string[];
}

/** The parts that {@link mergeConfig} works with. */
export interface MergeParts {
  readonly inForce: ConfigInForce;
  /** The options of the mesh at this moment. */
  readonly current: MeshOptions;
  readonly read: ReadConfig;
  readonly isWatched: (service: string) => boolean;
}

/** One level of options: as data, and as what was made of it. */
interface MergedLevel {
  readonly data: Values;
  readonly options: Values;
}

/** Whether an option says the same in two versions. */
type IsSame = (before: unknown, after: unknown) => boolean;

/**
 * Takes of a file that was read anew what a mesh that runs takes. An option that says the same as before keeps the value that was made of it, so that a picker goes
 * on with what it has learnt. An option that refers to a file (`${file:…}`) whose content is another one differs.
 */
export function mergeConfig({ inForce, current, read, isWatched }: MergeParts): MergedConfig {
  const { data: before } = inForce;
  const { data: after, files } = read;
  const changedFiles = [...files].filter(([path, content]) => inForce.files.get(path) !== content).map(([path]) => path);
  const isSame: IsSame = (one, other) => equalValues(one, other) && !refersTo(other, changedFiles, read);
  const { services: formerOnes, ...former } = before;
  const { services: nextOnes, ...next } = after;
  const ofMesh = mergedLevel("", [former, next], [current, read.options], isSame);
  const options = Object.fromEntries(Object.entries(ofMesh.options).filter(([name]) => isAtOnce(name)));
  if (formerOnes === undefined && nextOnes === undefined) return merged(ofMesh.data, options);
  const services = mergedServices([formerOnes, nextOnes], [current.services, read.options.services], isSame, isWatched);
  return merged({ ...ofMesh.data, services: services.data }, { ...options, services: services.options });

  function merged(data: Values, taken: Values): MergedConfig {
    // A service that is not in the file any more has no options there.
    const services = Object.fromEntries(Object.keys(servicesOf(data["services"])).map((name) => [name, servicesOf(nextOnes)[name] ?? {}]));
    const restart = compareConfigs(data, { ...after, ...(data["services"] !== undefined && { services }) }).map(({ option }) => option);
    return { options: taken as Partial<MeshOptions>, inForce: { data, files }, restart };
  }
}

/** The options of one level. `prefix` precedes their names; of each pair, the first is in force. */
function mergedLevel(prefix: string, [was, is]: Pair<Values>, [known, made]: Pair<object>, isSame: IsSame): MergedLevel {
  const [inForce, next] = [known, made] as Pair<Values>;
  const data: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const source = isAtOnce(`${prefix}${name}`) ? is : was;
    if (name in source) data[name] = source[name];
    if (source === is && !isSame(was[name], is[name])) options[name] = next[name];
    else if (name in inForce) options[name] = inForce[name];
  }
  return { data, options };
}

type Pair<Value> = readonly [Value, Value];

function mergedServices(written: Pair<unknown>, made: Pair<unknown>, isSame: IsSame, isWatched: MergeParts["isWatched"]): MergedLevel {
  const [was, is] = written.map(servicesOf) as [Services, Services];
  const [known, next] = made.map(servicesOf) as [Services, Services];
  const data: Record<string, Values> = {};
  // Those that the program itself has added stay.
  const options: Record<string, Values> = Object.fromEntries(Object.entries(known).filter(([name]) => !(name in was)));
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [former, newest = {}] = [was[name] ?? {}, is[name]];
    if (isWatched(name)) {
      const level = mergedLevel(`services.${name}.`, [former, newest], [known[name] ?? {}, next[name] ?? {}], isSame);
      [data[name], options[name]] = [level.data, level.options];
    } else if (name in is) {
      data[name] = newest;
      options[name] = (name in was && isSame(former, newest) ? known[name] : next[name]) ?? {};
    }
  }
  return { data, options };
}

type Services = Readonly<Record<string, Values>>;

function servicesOf(services: unknown): Services {
  return isPlain(services) ? (services as Services) : {};
}

/** Whether a part of a configuration refers to one of these files. */
function refersTo(value: unknown, paths: readonly string[], { pathOf }: ReadConfig): boolean {
  if (paths.length === 0) return false;
  const references = [...JSON.stringify(value ?? null).matchAll(/\$\{file:([^{}]*)\}/g)];
  return references.some(([, path = ""]) => paths.includes(pathOf(JSON.parse(`"${path}"`) as string)));
}
