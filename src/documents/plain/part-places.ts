import type { PartPath } from "../part-path.ts";

/** Where the parts of one list or object stand, by their order. */
export interface PartPlaces {
  /** The offset of the list or object itself. */
  readonly at: number;
  /** The names of an object; `undefined` for a list. */
  readonly names: string[] | undefined;
  /** Offsets of the names. */
  readonly nameAts: number[];
  /** Offsets of the values. */
  readonly valueAts: number[];
  readonly values: unknown[];
}

/** Places by the lists and objects that were read. */
export type KnownPlaces = Map<unknown, PartPlaces>;

/** The offset of the part at `path`, else of the nearest around it; of its name where `isKey`, if it has one. */
export function offsetOf(root: unknown, known: KnownPlaces, path: PartPath, isKey: boolean): number | undefined {
  let value = root;
  let at = known.get(root)?.at ?? 0;
  const parents = isKey ? path.slice(0, -1) : path;
  for (const name of parents) {
    const places = known.get(value);
    const index = places === undefined ? -1 : indexOf(places, name);
    if (places === undefined || index === -1) break;
    at = places.valueAts[index] as number;
    value = places.values[index];
  }
  if (!isKey) return at;
  const places = known.get(value);
  const index = places?.names === undefined ? -1 : indexOf(places, path.at(-1));
  return index === -1 ? undefined : places?.nameAts[index];
}

function indexOf({ names, values }: PartPlaces, name: string | number | undefined): number {
  if (names !== undefined) return typeof name === "string" ? names.indexOf(name) : -1;
  return typeof name === "number" && name < values.length ? name : -1;
}
