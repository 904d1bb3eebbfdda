import { quoted } from "../../core/text/clean-text.ts";
import type { PartPath } from "../../documents/read-document.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import type { Make } from "../config-names.ts";
import { isObject, kindOf, nameOf, type OptionReader, type ReadNamed } from "../option-reader.ts";
import { isName } from "../secrets.ts";

/** Makes a value of inmesh's own from what stands behind its name; `given` is `undefined` where nothing does. */
export type Build = (reader: OptionReader, path: PartPath, given: unknown) => Promise<unknown>;

/**
 * Reads a value that is given by its name: `adaptive`, `{ ringHash: { … } }` or `${code:NAME}`.
 * @param builtIn inmesh's own, by their names
 * @param ownOf those of the program
 */
export function namedBy(
  kind: string,
  builtIn: Readonly<Record<string, Build>>,
  ownOf: (reader: OptionReader) => Readonly<Record<string, Make<unknown>>> | undefined,
): ReadNamed {
  return async (reader, path, given) => {
    if (typeof given === "string" && given.startsWith("${code:")) return (await reader.text(path, given)).value;
    const { name, options, at } = split(reader, path, given, kind);
    const own = ownOf(reader) ?? {};
    const taken = Object.keys(own).find((each) => Object.hasOwn(builtIn, each));
    if (taken !== undefined) throw new TypeError(`names: inmesh has a ${kind} ${quoted(taken)} of its own`);
    const build = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
    if (build !== undefined) return await reader.attempt(at, () => build(reader, at, options));
    const make = Object.hasOwn(own, name) ? own[name] : undefined;
    if (make === undefined) return refuseName(reader, path, kind, name, [...Object.keys(builtIn), ...Object.keys(own)]);
    const read = await rawOptions(reader, at, options);
    return await reader.attempt(at, () => make(read));
  };
}

/** A name, what stands behind it, and where. */
interface Split {
  readonly name: string;
  readonly options: unknown;
  readonly at: PartPath;
}

function split(reader: OptionReader, path: PartPath, given: unknown, kind: string): Split {
  if (typeof given === "string" && given !== "") return { name: given, options: undefined, at: path };
  const entries = isObject(given) ? Object.entries(given) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    return reader.refuse(path, `${nameOf(path)} must be the name of a ${kind}, or one name with its options: { name: { … } }`);
  return { name: entry[0], options: entry[1] ?? undefined, at: [...path, entry[0]] };
}

function refuseName(reader: OptionReader, path: PartPath, kind: string, name: string, known: readonly string[]): never {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`;
  return reader.refuse(path, `${nameOf(path)}: there is no ${kind} ${isName(name) ? quoted(name) : "of this name"}; ${hint}`);
}

/** Options behind a name, of these tables; `{}` where there are none. */
export async function optionsBehind(
  reader: OptionReader,
  path: PartPath,
  given: unknown,
  table: Parameters<OptionReader["options"]>[2][number],
): Promise<object> {
  return given === undefined ? {} : await reader.options(path, given, [table]);
}

/** Options behind a name whose function checks them itself; `{}` where there are none. */
export async function rawOptions(reader: OptionReader, path: PartPath, given: unknown): Promise<Record<string, unknown>> {
  if (given === undefined) return {};
  if (!isObject(given)) return reader.refuse(path, `${nameOf(path)} must be an object with options, not ${kindOf(given)}`);
  return (await reader.raw(path, given)) as Record<string, unknown>;
}
