import { quoted } from "../core/text/clean-text.ts";
import { parseTarget } from "../fetch/target.ts";
import { nearestName } from "../suggestions/nearest-name.ts";

/**
 * Checks a name in `serviceNames`. A whole target (`orders/42`) would refuse every call, since calls are compared by their service.
 * @throws TypeError naming the option and the name.
 */
export function checkServiceName(option: string, name: string): void {
  if (!isServiceName(name)) throw new TypeError(`${option} must be names of services, without a path: not ${quoted(name)}`);
}

function isServiceName(name: string): boolean {
  try {
    return parseTarget(name).service === name;
  } catch {
    return false;
  }
}

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
    // A call that names none yet gets its service by a route, or fails without one.
    if (names === undefined || names.has(name) || name === "") return undefined;
    const nearest = nearestName(name, [...names]);
    const hint = nearest === undefined ? `it has ${[...names].join(", ") || "none"}` : `did you mean ${quoted(nearest)}?`;
    return new TypeError(`${where}: ${quoted(name)} is not in serviceNames; ${hint}`);
  }
}
