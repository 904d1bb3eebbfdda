import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { FindPlace } from "../documents/part-path.ts";
import { readDocument } from "../documents/read-document.ts";
import { readFileSafely } from "../files/read-file.ts";
import { checkMeshOptions, type MeshOptions, wholeMeshOptions } from "../mesh/mesh-options.ts";
import { serviceTables } from "../mesh/service-options.ts";
import { ConfigError } from "./config-error.ts";
import type { ConfigNames } from "./config-names.ts";
import { readDiscovery } from "./named/discoveries.ts";
import { readHashKey } from "./named/hash-keys.ts";
import { readIdentity } from "./named/identities.ts";
import { readLimit } from "./named/limits.ts";
import { readObservers } from "./named/observers.ts";
import { readPicker } from "./named/pickers.ts";
import { isObject, nameOf, OptionReader, type ReadNamed, type Tables } from "./option-reader.ts";
import { References } from "./references.ts";

/** The tables of everything that may stand at the top of a configuration. */
export const meshTables: Tables = [wholeMeshOptions, ...serviceTables];

/** A configuration as data. */
export type ConfigData = Readonly<Record<string, unknown>>;

/** How errors call a configuration. */
export const configKind = {
  name: "configuration",
  whenEmpty: "the least is a discovery, such as { discovery: consul }",
  Fault: ConfigError,
};

/** Bytes of a configuration. */
const maxBytes = 1_048_576;

const readServices: ReadNamed = async (reader, path, given) => {
  if (!isObject(given)) return reader.refuse(path, `${nameOf(path)} must be an object with the options of each service by its name`);
  const entries: [string, unknown][] = [];
  for (const [name, options] of Object.entries(given)) entries.push([name, await reader.options([...path, name], options, serviceTables)]);
  return Object.fromEntries(entries);
};

const named = {
  picker: readPicker,
  discovery: readDiscovery,
  identity: readIdentity,
  limit: readLimit,
  observers: readObservers,
  hashKey: readHashKey,
  services: readServices,
};

/** A configuration that was read. */
export interface ReadConfig {
  readonly options: MeshOptions;
  /** The data that stands in it. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The files that it refers to by `${file:…}`, with their content. */
  readonly files: ReadonlyMap<string, string>;
  /** The path of a file that it names. */
  readonly pathOf: (path: string) => string;
}

const readings = new WeakMap<object, ReadConfig>();

/** The configuration that these options were read from; `undefined` for others. */
export function readingOf(options: object): ReadConfig | undefined {
  return readings.get(options);
}

/**
 * Reads the options of a mesh from a file in YAML or JSON: `createMesh(await fromFile("mesh.yaml"))`. Every option of the mesh and of its services may
 * stand there, under its own name. What only code can be is named: pickers, sources of endpoints, identities, and by `names` those of the program.
 * Secrets are references, `${env:NAME}` or `${file:PATH}`. Paths are relative to the file. Nothing is connected.
 * Rejects with a {@link ConfigError} that names option, line and column, and with the error of the file system.
 */
export async function fromFile(path: string | URL, names: ConfigNames = {}): Promise<MeshOptions> {
  return (await readConfigFile(typeof path === "string" ? path : fileURLToPath(path), names)).options;
}

/** The same, with what stands in the file. */
export async function readConfigFile(file: string, names: ConfigNames): Promise<ReadConfig> {
  const bytes = await readFileSafely(file, { maxBytes }).catch((error: Error) => {
    throw new ConfigError(file, error.message);
  });
  return await readConfig(bytes.toString("utf8"), file, names);
}

/**
 * The same for a text. `source` names it in errors; it is the path that others in it are relative to.
 * Rejects with a {@link ConfigError}.
 */
export async function fromText(text: string, source: string, names: ConfigNames = {}): Promise<MeshOptions> {
  return (await readConfig(text, source, names)).options;
}

async function readConfig(text: string, source: string, names: ConfigNames): Promise<ReadConfig> {
  const { value, placeOf } = readDocument(text, source, configKind);
  return await readOptions(value, source, names, placeOf);
}

/** A part of a file beside the options of the mesh, which another room reads. */
export interface ConfigPart<Part> {
  /** Its name at the top of the file. */
  readonly name: string;
  /** Makes it; what it throws gets a place. `pathOf` gives a path that is relative to the file. */
  make(given: unknown, pathOf: (path: string) => string): Part | Promise<Part>;
}

/**
 * Reads a text that has one more part beside the options of the mesh, such as the `gateway` of a file for `inmesh gateway`; `undefined` where it has none.
 * `files` are those that the options refer to, with their content.
 * Rejects with a {@link ConfigError}.
 */
export async function fromTextWith<Part>(
  text: string,
  source: string,
  names: ConfigNames,
  part: ConfigPart<Part>,
): Promise<{ readonly mesh: MeshOptions; readonly part: Part | undefined; readonly files: ReadonlyMap<string, string> }> {
  const { value, placeOf } = readDocument(text, source, configKind);
  const { [part.name]: given, ...rest } = isObject(value) ? value : {};
  const references = new References(resolve(source), names);
  const reader = new OptionReader({ source, placeOf, value, references, names, named });
  const made =
    given === undefined
      ? undefined
      : await reader.attempt([part.name], async () => await part.make(given, (path) => references.pathOf(path)));
  const { options, files } = await readOptions(isObject(value) ? rest : value, source, names, placeOf);
  return { mesh: options, part: made, files };
}

/**
 * The same for data that a file would have, as {@link fromText} reads them from it. `source` names them in errors; it is the path that others in them are
 * relative to.
 * Rejects with a {@link ConfigError}, without a place.
 */
export async function fromData(data: ConfigData, source: string, names: ConfigNames = {}): Promise<MeshOptions> {
  return (await readOptions(data, source, names, () => undefined)).options;
}

async function readOptions(value: unknown, source: string, names: ConfigNames, placeOf: FindPlace): Promise<ReadConfig> {
  const references = new References(resolve(source), names);
  const reader = new OptionReader({ source, placeOf, value, references, names, named });
  const options = await reader.options([], value, meshTables);
  if (options["discovery"] === undefined) reader.refuse([], "the configuration has no discovery, such as `discovery: consul`");
  // What concerns several options.
  await reader.attempt([], () => checkMeshOptions(options as unknown as MeshOptions));
  const read: ReadConfig = {
    options: options as unknown as MeshOptions,
    data: value as ReadConfig["data"],
    files: references.files,
    pathOf: (path) => references.pathOf(path),
  };
  readings.set(read.options, read);
  return read;
}
