import { nearestName } from "../discovery/nearest-name.ts";

/** The services that may be called: those of `serviceNames`, or all. */
export class ServiceNames {
  readonly #names: ReadonlySet<string> | undefined;

  /** @param names `undefined` where every name may be called */
  constructor(names: readonly string[] | undefined) {
    this.#names = names && new Set(names);
  }

  /** The error for a name that is not in the list, used at `where`; `undefined` for one that may be called. */
  refusalOf(name: string, where: string): TypeError | undefined {
    const names = this.#names;
    if (names === undefined || names.has(name)) return undefined;
    const nearest = nearestName(name, [...names]);
    const hint = nearest === undefined ? `it has ${[...names].join(", ") || "none"}` : `did you mean ${JSON.stringify(nearest)}?`;
    return new TypeError(`${where}: ${JSON.stringify(name)} is not in serviceNames; ${hint}`);
  }
}
