import { nearestName } from "../discovery/nearest-name.ts";

/** The names of services that a mesh may call, where its options list them. */
export class ServiceNames {
  readonly #names: ReadonlySet<string> | undefined;

  /** @param names `undefined`: every name may be called */
  constructor(names: readonly string[] | undefined) {
    this.#names = names && new Set(names);
  }

  /** The error of a use of `name` that the list does not have; `where` is what used it. `undefined` where it may be called. */
  refusalOf(name: string, where: string): TypeError | undefined {
    const names = this.#names;
    if (names === undefined || names.has(name)) return undefined;
    const nearest = nearestName(name, [...names]);
    const hint = nearest === undefined ? `it has ${[...names].join(", ") || "none"}` : `did you mean ${JSON.stringify(nearest)}?`;
    return new TypeError(`${where}: ${JSON.stringify(name)} is not in serviceNames; ${hint}`);
  }
}
